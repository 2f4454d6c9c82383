#include "persist/apply_entry.h"

#include <algorithm>
#include <span>

namespace vicinal::persist {
namespace {

Status store_node(NodeBlockEditor* nodes, StateRecord* state, graph::NodeId node, Label label,
                  graph::Level level, graph::NodeId replaced, bool doomed) {
  state->node_limit = std::max<std::uint64_t>(state->node_limit, graph::raw(node) + 1ull);
  if (replaced != graph::kNoNode) {
    Status s = nodes->set_state(replaced, graph::NodeState::kTombstone);
    if (!s.ok()) return s;
  }
  // A doomed node gets no record: it has no row of its own any more, and is free in the end.
  if (doomed) return {};
  return nodes->set(node, {label, level, graph::NodeState::kLive});
}

Status set_states(NodeBlockEditor* nodes, std::span<const graph::NodeId> which,
                  graph::NodeState value) {
  for (const graph::NodeId node : which) {
    if (Status s = nodes->set_state(node, value); !s.ok()) return s;
  }
  return {};
}

}  // namespace

Status apply_entry(const FreedNodes& freed, Sequence sequence, const JournalEntry& e,
                   NodeBlockEditor* nodes, StateRecord* state) {
  switch (e.kind) {
    case OperationKind::kUpsert:
      return store_node(nodes, state, e.node, e.label, e.level, e.replaced,
                        freed.doomed(e.node, sequence));
    case OperationKind::kErase:
      return nodes->set_state(e.node, graph::NodeState::kTombstone);
    case OperationKind::kResurrect:
      return nodes->set_state(e.node, graph::NodeState::kLive);
    case OperationKind::kFree:
      return set_states(nodes, e.nodes, graph::NodeState::kFree);
    case OperationKind::kEraseBatch:
      return set_states(nodes, e.nodes, graph::NodeState::kTombstone);
    case OperationKind::kBatch:
      for (std::size_t i = 0; i < e.nodes.size(); ++i) {
        Status s = store_node(nodes, state, e.nodes[i], e.labels[i], e.levels[i],
                              e.replaced_nodes[i], freed.doomed(e.nodes[i], sequence));
        if (!s.ok()) return s;
      }
      return set_states(nodes, e.resurrected, graph::NodeState::kLive);
  }
  return {};
}

}  // namespace vicinal::persist
