#include "engine/index_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "engine/base/check.h"
#include "engine/events.h"
#include "engine/options_check.h"

namespace vicinal::engine {

graph::Config graph_config(const IndexOptions& options) {
  // To compare with as many costs about what a walk does. Who rebuilds at each write has a graph.
  constexpr std::uint32_t kSmallestGraph = 500;
  graph::Config config;
  config.dimension = options.dimension;
  config.metric = options.metric;
  config.M = options.M;
  config.ef_construction = options.ef_construction;
  config.quantization = options.quantization;
  config.seed = options.seed;
  config.storage = options.storage;
  config.smallest_graph = options.rebuild_on_upsert ? 0 : kSmallestGraph;
  return config;
}

Result<std::shared_ptr<IndexCore>> IndexCore::make(std::string name, const IndexOptions& options,
                                                   StoreLink link) {
  VICINAL_RETURN_IF_ERROR(check_options(options));
  graph::Config config = graph_config(options);
  // Beside a writer process the map's rows may be newer than the graph: a reader keeps its own.
  const bool map_is_ours = link.records != nullptr && !link.file->options().read_only;
  config.keep_vectors = options.vectors_in_memory || !map_is_ours || config.rows_are_codes();
  Result<std::unique_ptr<graph::Graph>> graph =
      graph::Graph::create(config, internal::WorkerPool::shared());
  if (!graph) return graph.status();

  auto core =
      std::make_shared<IndexCore>(std::move(name), options, std::move(*graph), std::move(link));
  VICINAL_RETURN_IF_ERROR(core->load());
  return core;
}

IndexCore::IndexCore(std::string name, const IndexOptions& options,
                     std::unique_ptr<graph::Graph> graph, StoreLink link)
    : state_(std::move(name), options, std::move(graph), link.file, std::move(link.records)),
      stored_(state_.durable ? std::make_unique<StoredParts>(state_, std::move(link.on_write))
                             : nullptr),
      maintenance_(state_, stored_ ? &stored_->on_write : nullptr) {}

Status IndexCore::load() {
  if (state_.records != nullptr) {
    const Result<RecoveryReport> report = Recovery(state_).run();
    if (!report) return report.status();
    stored_->loaded = *report;
    stored_->checkpoints.add_unsaved(report->unsaved_bytes);
    if (report->salvaged > 0) {
      tell_damage(Severity::kError, Status::corruption("vector or node records were set aside"),
                  report->salvaged);
    }
    if (report->repaired_links > 0) {
      tell_damage(Severity::kWarning, Status::corruption("link records were mended"),
                  report->repaired_links);
    }
  }
  if (state_.options.reserve > 0) state_.graph->reserve(state_.options.reserve);
  return {};
}

void IndexCore::tell_damage(Severity severity, const Status& what,
                            std::uint64_t records) const noexcept {
  tell(state_.file->options().on_event, [&] {
    Event event;
    event.kind = EventKind::kDamage;
    event.severity = severity;
    event.index = state_.name;
    event.status = what;
    event.value = records;
    event.message = fmt::format("index \"{}\": damage met while loading, {} records: {}",
                                state_.name, records, what.to_string());
    return event;
  });
}

std::uint64_t IndexCore::size() const { return state_.gate.closed() ? 0 : state_.graph->live(); }

Status IndexCore::reserve(std::uint64_t count) {
  if (state_.gate.closed()) return state_.closed_status();
  if (count >= graph::kMaxNodes) {
    return Status::invalid_argument(
        fmt::format("reserve {} is beyond {}, the most nodes", count, graph::kMaxNodes));
  }
  if (state_.graph->write_gate().closed_by_this_thread()) return state_.check_writable();
  state_.graph->reserve(count);
  state_.labels.reserve(count);
  return {};
}

Status IndexCore::sync() {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  return state_.file == nullptr ? Status() : state_.file->sync();
}

Status IndexCore::checkpoint(const ProgressCallback& progress) {
  if (stored_ != nullptr) return stored_->checkpoints.checkpoint(progress);
  return state_.gate.closed() ? state_.closed_status() : Status();
}

Result<std::uint64_t> IndexCore::verify_records(std::vector<std::string>* messages) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  Result<std::uint64_t> failures = state_.records->verify(messages);
  if (failures && *failures == 0) return failures;
  const Status dropped = state_.dropped_status();
  return dropped.ok() ? std::move(failures) : dropped;
}

Status IndexCore::for_each_journal_entry(
    const std::function<bool(const std::string&)>& visit) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  return state_.records->for_each_journal_entry(visit);
}

Due IndexCore::maintain(std::uint64_t checkpoint_bytes) noexcept {
  constexpr std::size_t kLinkedAtOnce = 256;
  EventKind what = EventKind::kCheckpointFailed;
  const auto failed = [&](const Status& why) {
    state_.health->failed(what, why);
    return Due::kAgain;
  };
  try {
    const Gate::Pass pass(state_.gate);
    if (!pass || state_.records == nullptr || !state_.check_writable().ok()) return Due::kNothing;
    state_.graph->link_backlog(kLinkedAtOnce);
    if (stored_->checkpoints.due(checkpoint_bytes)) {
      if (const Status s = stored_->checkpoints.write({}); !s.ok()) return failed(s);
    }
    what = EventKind::kRepairFailed;
    const Result<Due> due = maintenance_.step();
    if (!due) return failed(due.status());
    state_.health->succeeded(what);
    return *due;
  } catch (const std::bad_alloc&) {
    return failed(Status(StatusCode::kFull, "out of memory"));
  }
}

Status IndexCore::close(bool with_checkpoint) noexcept {
  state_.gate.close();
  Status status;
  try {
    if (state_.records != nullptr && with_checkpoint && !state_.read_only) {
      status = stored_->checkpoints.write({});
    }
  } catch (const std::bad_alloc&) {
    status = Status(StatusCode::kFull, "out of memory");
  }
  state_.records.reset();
  return status;
}

}  // namespace vicinal::engine
