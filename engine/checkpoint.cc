// checkpoint: what changed since the last one goes to disk, so that opening need not replay it.
#include <fmt/format.h>

#include <new>

#include "engine/base/check.h"
#include "engine/index_core.h"

namespace vicinal::engine {
namespace {

using graph::Graph;
using graph::Moment;
using graph::NodeId;
using graph::NodeState;

class GraphSource final : public persist::CheckpointSource {
 public:
  explicit GraphSource(Graph& graph) : graph_(graph) {}

  std::vector<NodeId> take_changed_nodes() override { return graph_.take_changed_nodes(); }

  graph::NodeLinks links(NodeId node) override {
    const Moment inside(graph_);
    const NodeState state = graph_.state(node);
    if (state == NodeState::kFree || state == NodeState::kPending) return {};
    if (graph_.in_backlog(node)) return {};  // opening links it
    return graph_.links(node);
  }

  bool settled() override { return graph_.links_settled(); }

  graph::EntryPoint entry_point() override { return graph_.entry_point(); }

  // Links that were chosen without the rows they need must not become the stored ones.
  Status status() override { return graph_.deferred_status(); }

  void give_back_changed_nodes(std::span<const NodeId> nodes) override {
    graph_.mark_changed(nodes);
  }

 private:
  Graph& graph_;
};

}  // namespace

Status IndexCore::checkpoint(const ProgressCallback& progress) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  if (!state_.durable) return {};
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  return checkpoint_inside(progress);
}

Status IndexCore::checkpoint_inside(const ProgressCallback& progress) {
  VICINAL_RETURN_IF_ERROR(state_.graph->deferred_status());
  const Turn::Taken turn(checkpointing_, !CallbackScope::active());
  if (!turn) {
    return Status::busy(fmt::format(
        "a checkpoint of index \"{}\" runs, for which a callback must not wait", state_.name));
  }
  state_.graph->link_backlog(state_.graph->node_limit());
  GraphSource source(*state_.graph);
  const auto reporter = std::make_shared<Reporter>(progress, "checkpoint");
  ProgressCallback throttled;
  if (progress) {
    throttled = [reporter](const Progress& p) { return (*reporter)(p.done, p.total); };
  }
  const std::uint64_t unsaved = unsaved_bytes_.load();
  const Result<persist::CheckpointReport> report = state_.records->checkpoint(source, throttled);
  if (!report) return report.status();
  unsaved_bytes_.fetch_sub(unsaved);
  try {
    state_.fresh.drop_stored(*state_.graph, *state_.records);
  } catch (const std::bad_alloc&) {
    // They stay until the next checkpoint.
  }
  const std::lock_guard lock(checkpoint_time_mutex_);
  checkpointed_at_ = std::chrono::steady_clock::now();
  return {};
}

}  // namespace vicinal::engine
