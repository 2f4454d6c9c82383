#include "tools/commands/dump_graph.h"

#include <fmt/core.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

namespace vicinal::tools {
namespace {

struct Neighborhood {
  /// By node id: a label can belong to a live node and to tombstones at once.
  std::map<std::uint32_t, Index::NodeView> nodes;
  std::map<std::uint32_t, Label> dead;  ///< linked tombstones: drawn, not followed
};

/// Adds the live node of `label`, or notes the tombstone when `node` is not that node.
bool add_node(const Index& index, Neighborhood& graph, Label label, std::uint32_t node) {
  if (graph.nodes.count(node) != 0 || graph.dead.count(node) != 0) return false;
  Result<Index::NodeView> view = index.node(label);
  if (!view.ok() || view->node != node || !view->live) {
    graph.dead.emplace(node, label);
    return false;
  }
  graph.nodes.emplace(node, std::move(*view));
  return true;
}

Neighborhood walk(const Index& index, Index::NodeView start, unsigned depth) {
  Neighborhood graph;
  std::vector<std::uint32_t> ring = {start.node};
  graph.nodes.emplace(start.node, std::move(start));
  for (unsigned step = 0; step < depth && !ring.empty(); ++step) {
    std::vector<std::uint32_t> next;
    for (const std::uint32_t id : ring) {
      const Index::NodeView& node = graph.nodes.at(id);
      if (node.links.empty()) continue;
      for (std::size_t i = 0; i < node.links[0].size(); ++i) {
        const std::uint32_t neighbor = node.link_nodes[0][i];
        if (add_node(index, graph, node.links[0][i], neighbor)) next.push_back(neighbor);
      }
    }
    ring = std::move(next);
  }
  return graph;
}

std::set<std::pair<std::uint32_t, std::uint32_t>> links_of(const Neighborhood& graph) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> links;
  for (const auto& [id, node] : graph.nodes) {
    if (node.link_nodes.empty()) continue;
    for (const std::uint32_t neighbor : node.link_nodes[0]) {
      if (graph.nodes.count(neighbor) != 0 || graph.dead.count(neighbor) != 0) {
        links.emplace(id, neighbor);
      }
    }
  }
  return links;
}

}  // namespace

Status write_dot(matrix::Output& out, const Index& index, Label label, unsigned depth) {
  Result<Index::NodeView> start = index.node(label);
  if (!start.ok()) return start.status();
  const std::uint32_t center = start->node;
  const Neighborhood graph = walk(index, std::move(*start), depth);
  std::string text = "digraph vicinal {\n  node [shape=ellipse fontsize=10];\n";
  for (const auto& [id, node] : graph.nodes) {
    text += fmt::format(
        "  n{} [label=\"{}\"{}{}];\n", id, node.label,
        id == center ? " style=filled fillcolor=gold" : "",
        node.level > 0 ? fmt::format(" shape=box xlabel=\"level {}\"", node.level) : std::string());
  }
  for (const auto& [id, dead] : graph.dead) {
    text += fmt::format("  n{} [label=\"{}\" style=dashed];\n", id, dead);
  }
  const auto links = links_of(graph);
  for (const auto& [from, to] : links) {
    const bool both = links.count({to, from}) != 0;
    if (both && to < from) continue;
    text += fmt::format("  n{} -> n{}{};\n", from, to, both ? " [dir=none]" : "");
  }
  return out.write(text + "}\n");
}

}  // namespace vicinal::tools
