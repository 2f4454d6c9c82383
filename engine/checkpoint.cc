// checkpoint: what changed since the last one goes to disk, so that opening need not replay it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
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
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  if (!durable_) return {};
  VICINAL_RETURN_IF_ERROR(check_writable());
  return checkpoint_inside(progress);
}

Status IndexCore::checkpoint_inside(const ProgressCallback& progress) {
  VICINAL_RETURN_IF_ERROR(graph_->deferred_status());
  const Turn::Taken turn(checkpointing_, !CallbackScope::active());
  if (!turn) {
    return Status::busy(fmt::format(
        "a checkpoint of index \"{}\" runs, for which a callback must not wait", name_));
  }
  graph_->link_backlog(graph_->node_limit());
  GraphSource source(*graph_);
  const auto reporter = std::make_shared<Reporter>(progress, "checkpoint");
  ProgressCallback throttled;
  if (progress) {
    throttled = [reporter](const Progress& p) { return (*reporter)(p.done, p.total); };
  }
  const std::uint64_t unsaved = unsaved_bytes_.load();
  const Result<persist::CheckpointReport> report = records_->checkpoint(source, throttled);
  if (!report) return report.status();
  unsaved_bytes_.fetch_sub(unsaved);
  try {
    drop_stored_rows();
  } catch (const std::bad_alloc&) {
    // They stay until the next checkpoint.
  }
  const std::lock_guard lock(checkpoint_time_mutex_);
  checkpointed_at_ = std::chrono::steady_clock::now();
  return {};
}

void IndexCore::drop_stored_rows() {
  // Some at a time: a snapshot and a moment hold up others, a growing map and slots to be reused.
  constexpr std::size_t kAtOnce = 256;
  const std::vector<NodeId> fresh = fresh_.nodes();
  std::vector<NodeId> dropped;
  dropped.reserve(kAtOnce);
  for (std::size_t first = 0; first < fresh.size(); first += kAtOnce) {
    const Moment inside(*graph_);  // first: no slot of a node that is met changes hands since
    const Result<std::unique_ptr<persist::RowReader>> reader = records_->row_reader();
    if (!reader) return;  // they stay until the next checkpoint, which costs memory only
    dropped.clear();
    for (std::size_t i = first; i < std::min(first + kAtOnce, fresh.size()); ++i) {
      const NodeState state = graph_->state(fresh[i]);
      if (state != NodeState::kLive && state != NodeState::kTombstone) continue;
      // The slot may hold a newer vector by now, whose row is in the journal still: compare.
      const float* const chunk = (*reader)->row(fresh[i]);
      const FreshRows::Row kept = fresh_.find(fresh[i]);
      const float* const newest = kept != nullptr ? kept.get() : graph_->vector(fresh[i]);
      if (chunk == nullptr || newest == nullptr) continue;
      if (std::memcmp(chunk, newest, options_.dimension * sizeof(float)) == 0) {
        dropped.push_back(fresh[i]);
      }
    }
    fresh_.drop(dropped);
  }
}

}  // namespace vicinal::engine
