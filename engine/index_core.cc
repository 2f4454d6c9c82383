#include "engine/index_core.h"

#include <fmt/format.h>

#include <cstring>
#include <system_error>
#include <thread>

#include "engine/base/check.h"
#include "engine/options_check.h"
#include "engine/recovery.h"

namespace vicinal::engine {

using graph::NodeId;
using graph::NodeState;

Result<std::shared_ptr<IndexCore>> IndexCore::make(std::string name, const IndexOptions& options,
                                                   StoreLink link) {
  VICINAL_RETURN_IF_ERROR(check_options(options));
  graph::Config config;
  config.dimension = options.dimension;
  config.metric = options.metric;
  config.M = options.M;
  config.ef_construction = options.ef_construction;
  config.quantization = options.quantization;
  config.seed = options.seed;
  // Beside a writer process the map's rows may be newer than the graph: a reader keeps its own.
  const bool map_is_ours = link.records != nullptr && !link.file->options().read_only;
  config.keep_vectors = options.vectors_in_memory || !map_is_ours;
  Result<std::unique_ptr<graph::Graph>> graph = graph::Graph::create(config);
  if (!graph) return graph.status();

  auto core =
      std::make_shared<IndexCore>(std::move(name), options, std::move(*graph), std::move(link));
  if (core->records_ != nullptr) VICINAL_RETURN_IF_ERROR(Recovery(*core).run());
  if (options.reserve > 0) core->graph_->reserve(options.reserve);
  if (core->graph_->deferred() > 0) {
    // Half of the threads: the others are for whoever uses the index already.
    const unsigned threads = std::max(core->threads_or(0) / 2, 1u);
    try {
      core->loader_ = std::make_unique<RowLoader>(*core->graph_, threads);
    } catch (const std::system_error&) {
      VICINAL_RETURN_IF_ERROR(core->graph_->load_deferred(1, {}));
    }
  }
  return core;
}

IndexCore::IndexCore(std::string name, const IndexOptions& options,
                     std::unique_ptr<graph::Graph> graph, StoreLink link)
    : name_(std::move(name)),
      options_(options),
      graph_(std::move(graph)),
      file_(link.file),
      records_(std::move(link.records)),
      on_write_(std::move(link.on_write)),
      durable_(records_ != nullptr),
      read_only_(file_ != nullptr && file_->options().read_only),
      labels_(*graph_),
      fresh_(!graph_->config().keep_vectors) {}

Status IndexCore::closed_status() const {
  return Status::closed(fmt::format("index \"{}\" is closed", name_));
}

Status IndexCore::check_writable() const {
  if (!read_only_) return graph_->deferred_status();
  return Status::read_only(fmt::format("index \"{}\" is in a store opened for reading", name_));
}

Status IndexCore::refused() const {
  return Status::busy(fmt::format(
      "a label of index \"{}\" is being written by another call, for which a callback of a batch "
      "must not wait",
      name_));
}

unsigned IndexCore::threads_or(unsigned asked) const {
  if (asked != 0) return asked;
  if (options_.threads != 0) return options_.threads;
  return std::max(1u, std::thread::hardware_concurrency());
}

Result<persist::Sequence> IndexCore::append(const persist::Operation& operation,
                                            const std::function<void()>& meanwhile) {
  if (records_ == nullptr) return persist::Sequence{0};
  return records_->append(operation, meanwhile);
}

void IndexCore::finish(persist::Sequence sequence) {
  if (records_ != nullptr && sequence != 0) records_->finish(sequence);
}

bool IndexCore::live(NodeId node) const {
  return node != graph::kNoNode && graph_->state(node) == NodeState::kLive;
}

std::unique_ptr<StoredRows> IndexCore::rows(StoredRows::Reading reading) const {
  if (graph_->config().keep_vectors && graph_->deferred() == 0) return nullptr;
  return std::make_unique<StoredRows>(*graph_, fresh_, *records_, reading);
}

const float* IndexCore::row(NodeId node, StoredRows* rows) const {
  return rows == nullptr ? graph_->vector(node) : rows->row(node);  // which asks the graph first
}

bool IndexCore::holds(NodeId node, std::span<const float> vector) const {
  const std::unique_ptr<StoredRows> source = rows();
  const float* const stored = row(node, source.get());
  return stored != nullptr && std::memcmp(stored, vector.data(), vector.size_bytes()) == 0;
}

std::uint64_t IndexCore::size() const { return gate_.closed() ? 0 : graph_->live(); }

Status IndexCore::reserve(std::uint64_t count) {
  if (gate_.closed()) return closed_status();
  if (count >= graph::kMaxNodes) {
    return Status::invalid_argument(
        fmt::format("reserve {} is beyond {}, the most nodes", count, graph::kMaxNodes));
  }
  graph_->reserve(count);
  labels_.reserve(count);
  return {};
}

Status IndexCore::finish_loading(const BatchOptions& options) const {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  return load_vectors(options.threads, options.progress);
}

Status IndexCore::load_vectors(unsigned threads, const ProgressCallback& progress) const {
  Reporter reporter(progress, "vectors");
  return graph_->load_deferred(threads_or(threads), [&](std::uint64_t done, std::uint64_t total) {
    return reporter(done, total);
  });
}

Status IndexCore::sync() {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  return file_ == nullptr ? Status() : file_->sync();
}

Result<std::uint64_t> IndexCore::verify_records(std::vector<std::string>* messages) const {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  return records_->verify(messages);
}

Status IndexCore::for_each_journal_entry(
    const std::function<bool(const std::string&)>& visit) const {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  return records_->for_each_journal_entry(visit);
}

Status IndexCore::close(bool with_checkpoint) {
  gate_.close();
  Status status;
  if (loader_ != nullptr) loader_->stop();
  if (records_ != nullptr && with_checkpoint && !read_only_) status = checkpoint_inside({});
  records_.reset();
  return status;
}

}  // namespace vicinal::engine
