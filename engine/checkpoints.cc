#include "engine/checkpoints.h"

#include <fmt/format.h>

#include <memory>
#include <new>
#include <vector>

#include "engine/base/check.h"
#include "engine/callback.h"
#include "engine/progress.h"

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

  void give_back_changed_nodes(std::span<const NodeId> nodes) override {
    graph_.mark_changed(nodes);
  }

 private:
  Graph& graph_;
};

}  // namespace

Status Checkpoints::checkpoint(const ProgressCallback& progress) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  return write(progress);
}

Status Checkpoints::write(const ProgressCallback& progress) {
  const Turn::Taken turn(writing_, !CallbackScope::active());
  if (!turn) {
    return Status::busy(fmt::format(
        "a checkpoint of index \"{}\" runs, for which a callback must not wait", state_.name));
  }
  state_.graph->link_backlog(state_.graph->node_limit());
  GraphSource source(*state_.graph);
  const auto reporter = std::make_shared<Reporter>(progress, "checkpoint");
  ProgressCallback throttled;
  if (progress) {
    throttled = [reporter](const Progress& p) { return reporter->part(p.phase, p.done, p.total); };
  }
  const std::uint64_t unsaved = unsaved_bytes_.load();
  const Result<persist::CheckpointReport> report = state_.records->checkpoint(source, throttled);
  if (!report) return report.status();
  unsaved_bytes_.fetch_sub(unsaved);
  reporter->finish();
  try {
    state_.fresh->drop_stored(*state_.graph, *state_.records);
  } catch (const std::bad_alloc&) {
    // They stay until the next checkpoint.
  }
  const internal::MutexLock lock(written_at_mutex_);
  written_at_ = std::chrono::steady_clock::now();
  state_.health->succeeded(EventKind::kCheckpointFailed);
  return {};
}

std::uint64_t Checkpoints::waiting() const {
  return state_.records->stats().journal_bytes + unsaved_bytes_.load();
}

Status Checkpoints::refusal() const {
  if (state_.records == nullptr || state_.health->well()) return {};
  return state_.health->refusal(waiting(), state_.file->options().checkpoint_bytes);
}

double Checkpoints::age() const {
  const internal::MutexLock lock(written_at_mutex_);
  if (!written_at_) return -1;
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - *written_at_).count();
}

}  // namespace vicinal::engine
