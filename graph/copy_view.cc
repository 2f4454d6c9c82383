#include "graph/copy_view.h"

#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"

namespace vicinal::graph {

CopyView::CopyView(const Graph& graph, const Moment& moment)
    : g_(graph.state()),
      moment_(&moment),
      topology_(moment.scratch().topology),
      entry_(moment.scratch().entry),
      flat_(moment.scratch().flat),
      limit_(graph.node_limit()) {}

CopyView::CopyView(const Graph& still)
    : g_(still.state()),
      moment_(nullptr),
      topology_(g_.topology.load(std::memory_order_acquire)),
      entry_(topology_->entry_point()),
      flat_(still.flat()),
      limit_(still.node_limit()) {}

NodeState CopyView::state(NodeId node) const {
  const NodeState s = g_.state(node);
  if (moment_ != nullptr ? moment_->counts(node) : s == NodeState::kLive) return NodeState::kLive;
  // Not what is condemned: its lists may lead to slots that are used again (repair.cc, part 4).
  const bool hidden = s == NodeState::kTombstone;
  return hidden && !flat_ && topology_->linked(node) ? NodeState::kTombstone : NodeState::kFree;
}

bool CopyView::linked(NodeId node) const {
  return topology_->linked(node) && !g_.backlog.contains(node);
}

LevelLinksView CopyView::links(NodeId node, Level level) const {
  const BlockHeader* const block = topology_->block(node, level);
  if (block == nullptr) return {};
  return {block->parent, block->child_count, block->ids()};
}

}  // namespace vicinal::graph
