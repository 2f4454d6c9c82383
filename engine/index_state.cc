#include "engine/index_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include "engine/base/check.h"
#include "engine/progress.h"
#include "graph/write_gate.h"

namespace vicinal::engine {

using graph::NodeId;

IndexState::IndexState(std::string index_name, const IndexOptions& index_options,
                       std::unique_ptr<graph::Graph> index_graph, persist::StoreFile* store_file,
                       std::unique_ptr<persist::IndexRecords> index_records)
    : name(std::move(index_name)),
      options(index_options),
      graph(std::move(index_graph)),
      file(store_file),
      records(std::move(index_records)),
      gate(records != nullptr),
      durable(records != nullptr),
      read_only(file != nullptr && file->options().read_only),
      labels(*graph),
      fresh(durable ? std::make_unique<FreshRows>(!graph->config().keep_vectors) : nullptr),
      health(durable ? std::make_unique<BackgroundHealth>(name, file->options().on_event)
                     : nullptr) {}

IndexState::~IndexState() {
  // In a child the records are the parent's: to end them would wait for threads that are not here.
  if (gate.forked()) static_cast<void>(records.release());
}

Status IndexState::closed_status() const {
  if (gate.forked()) {
    return Status::closed(fmt::format(
        "index \"{}\" was opened before fork(): this process must open the store itself", name));
  }
  return Status::closed(fmt::format("index \"{}\" is closed", name));
}

Status IndexState::dropped_status() const { return file->dropped_since(name, records->id()); }

Status IndexState::check_writable() const {
  if (graph->write_gate().closed_by_this_thread()) {
    return Status::busy(fmt::format(
        "this thread has paused the writes to index \"{}\": it would wait for itself", name));
  }
  if (!read_only) return {};
  return Status::read_only(fmt::format("index \"{}\" is in a store opened for reading", name));
}

Status IndexState::labels_taken() const {
  return Status::busy(fmt::format(
      "a label of index \"{}\" is being written by another call, for which a callback of a batch "
      "must not wait",
      name));
}

unsigned IndexState::threads_or(unsigned asked) const {
  if (asked != 0) return asked;
  if (options.threads != 0) return options.threads;
  return std::max(1u, std::thread::hardware_concurrency());
}

Result<persist::Sequence> IndexState::append(const persist::Operation& operation,
                                             const std::function<void()>& meanwhile) {
  if (records == nullptr) return persist::Sequence{0};
  return records->append(operation, meanwhile);
}

void IndexState::finish(persist::Sequence sequence) {
  if (records != nullptr && sequence != 0) records->finish(sequence);
}

bool IndexState::live(NodeId node) const {
  return node != graph::kNoNode && graph->state(node) == graph::NodeState::kLive;
}

std::unique_ptr<StoredRows> IndexState::rows(StoredRows::Reading reading) const {
  if (graph->config().keep_vectors) return nullptr;
  return std::make_unique<StoredRows>(*graph, *fresh, *records, reading);
}

const std::byte* IndexState::row(NodeId node, StoredRows* rows) const {
  return rows == nullptr ? graph->row(node) : rows->row(node);  // which asks the graph first
}

bool IndexState::holds(NodeId node, std::span<const std::byte> wanted) const {
  const graph::Moment inside(*graph);
  const std::unique_ptr<StoredRows> source = rows();
  const std::byte* const stored = row(node, source.get());
  return stored != nullptr && std::memcmp(stored, wanted.data(), wanted.size()) == 0;
}

}  // namespace vicinal::engine
