// Restoring: links come back from a checkpoint.
#include <algorithm>

#include "engine/check.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/parallel.h"
#include "graph/trees.h"

namespace vicinal::graph {
namespace {

Status check_level(const GraphState& g, NodeId node, Level level, const LevelLinks& links) {
  const auto bad = [&](const std::string& what) {
    return Status::corruption("links of node " + std::to_string(raw(node)) + " at level " +
                              std::to_string(level) + ": " + what);
  };
  if (links.ids.size() > g.max_links(level)) {
    return bad(std::to_string(links.ids.size()) + " links, at most " +
               std::to_string(g.max_links(level)));
  }
  if (links.child_count > links.ids.size()) {
    return bad(std::to_string(links.child_count) + " children among " +
               std::to_string(links.ids.size()) + " links");
  }
  const auto children_end = links.ids.begin() + static_cast<std::ptrdiff_t>(links.child_count);
  if (links.parent != kNoNode &&
      std::find(links.ids.begin(), children_end, links.parent) != children_end) {
    return bad("the parent " + std::to_string(raw(links.parent)) + " among the children");
  }
  std::vector<NodeId> sorted = links.ids;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return bad("a link twice");
  if (std::binary_search(sorted.begin(), sorted.end(), node)) return bad("a link to itself");
  return {};
}

}  // namespace

Result<std::uint64_t> Graph::restore_links(NodeId node, const NodeLinks& links) {
  GraphState& g = *state_;
  const std::uint64_t limit = node_limit();
  if (raw(node) >= limit || g.state(node) == NodeState::kFree) {
    return Status::corruption("links of node " + std::to_string(raw(node)) +
                              ", which is not stored");
  }
  if (links.size() != std::size_t{g.level(node)} + 1) {
    return Status::corruption("node " + std::to_string(raw(node)) + " has links on " +
                              std::to_string(links.size()) + " levels and stands on " +
                              std::to_string(g.level(node) + 1));
  }
  for (Level level = 0; level < links.size(); ++level) {
    VICINAL_RETURN_IF_ERROR(check_level(g, node, level, links[level]));
  }
  Topology& t = *g.topology.load(std::memory_order_acquire);
  t.make_upper(node, g.level(node));
  std::uint64_t left_out = 0;
  std::vector<NodeId> ids;
  for (Level level = 0; level < links.size(); ++level) {
    const LevelLinks& from = links[level];
    ids.clear();
    std::uint32_t children = 0;
    NodeId parent = kNoNode;
    for (std::size_t i = 0; i < from.ids.size(); ++i) {
      const NodeId id = from.ids[i];
      if (raw(id) >= limit || g.state(id) == NodeState::kFree || g.level(id) < level) {
        ++left_out;
        continue;
      }
      ids.push_back(id);
      if (i < from.child_count) ++children;
      if (id == from.parent) parent = id;
    }
    const BlockHandle handle = t.arena().allocate_block(node, ids.size(), false);
    BlockHeader* block = t.arena().block(handle);
    block->child_count = static_cast<std::uint16_t>(children);
    block->parent = parent;
    std::copy(ids.begin(), ids.end(), block->mutable_ids());
    t.restore(node, level, handle);
  }
  return left_out;
}

EntryPoint find_entry_point(const GraphState& g, const Topology& t) {
  EntryPoint best;
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s == NodeState::kFree || s == NodeState::kCondemned || !t.linked(node)) continue;
    if (best.node == kNoNode || g.level(node) > best.level) best = {node, g.level(node)};
  }
  return best;
}

void Graph::finish_restoring(EntryPoint wanted, bool damaged) {
  GraphState& g = *state_;
  Topology& t = *g.topology.load(std::memory_order_acquire);
  const EntryPoint highest = find_entry_point(g, t);
  const bool valid = wanted.node != kNoNode && raw(wanted.node) < node_limit() &&
                     g.state(wanted.node) != NodeState::kFree && t.linked(wanted.node) &&
                     g.level(wanted.node) == wanted.level && wanted.level >= highest.level;
  EntryPoint present = t.entry_point();
  const EntryPoint chosen = valid ? wanted : highest;
  while (!(present == chosen) && !t.replace_entry_point(present, chosen)) {
  }
  if (damaged || tombstones_hang_loose(g, t)) mend_trees(g, t);
}

}  // namespace vicinal::graph
