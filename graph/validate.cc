// Validate: the invariants of graph.h, checked from the entry point outwards.
#include <algorithm>

#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/trees.h"

namespace vicinal::graph {
namespace {

class Validator {
 public:
  /// `whole`: nodes whose linking was over before `t` was loaded. Of the others a writer may be
  /// at work on the links, so they are not expected to be in the tree or to be reached.
  Validator(const GraphState& g, const Topology& t, const std::vector<bool>& whole,
            ValidateReport& report, std::size_t max_messages)
      : g_(g),
        t_(t),
        whole_(whole),
        limit_(whole.size()),
        report_(report),
        max_messages_(max_messages) {}

  bool run(const StepCallback& step) {
    const EntryPoint entry = t_.entry_point();
    check_entry_point(entry);
    const std::uint64_t total = limit_ * (entry.node == kNoNode ? 1 : entry.level + 2);
    for (std::uint64_t i = 0; i < limit_; ++i) {
      check_node(NodeId{static_cast<std::uint32_t>(i)});
      if (step && i % 4096 == 0 && !step(i, total)) return false;
    }
    if (entry.node == kNoNode) {
      count_unreachable(0, std::vector<bool>(limit_));
      return true;
    }
    for (Level level = 0; level <= entry.level; ++level) {
      count_unreachable(level, walk(entry.node, level));
      if (step && !step(limit_ * (level + 2), total)) return false;
    }
    return true;
  }

 private:
  void problem(std::uint64_t& counter, const std::string& message) {
    ++counter;
    ++report_.problems;
    if (report_.messages.size() < max_messages_) report_.messages.push_back(message);
  }

  /// Nodes added meanwhile may stand in lists too.
  std::uint64_t present_limit() const { return g_.next_slot.load(std::memory_order_acquire); }

  static std::string name(NodeId node) { return "node " + std::to_string(raw(node)); }

  void check_entry_point(const EntryPoint& entry) {
    Level highest = 0;
    bool any = false;
    for (std::uint64_t i = 0; i < limit_; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      const NodeState s = g_.state(node);
      if ((s != NodeState::kLive && s != NodeState::kTombstone) || !whole_[i]) continue;
      if (!t_.linked(node)) continue;
      any = true;
      highest = std::max(highest, g_.level(node));
    }
    if (!any) return;
    if (entry.node == kNoNode || raw(entry.node) >= present_limit()) {
      problem(report_.entry_point_errors, "G6: there are nodes but no entry point");
    } else if (entry.level < highest || g_.level(entry.node) < entry.level) {
      problem(report_.entry_point_errors, "G6: the entry point is " + name(entry.node) +
                                              " at level " + std::to_string(entry.level) +
                                              ", the highest level is " + std::to_string(highest));
    }
  }

  void check_node(NodeId node) {
    const NodeState s = g_.state(node);
    if (s == NodeState::kLive) ++report_.live;
    if (s == NodeState::kTombstone || s == NodeState::kCondemned) ++report_.tombstones;
    // The lists of condemned nodes are on their way out, one after the other.
    if (s == NodeState::kFree || s == NodeState::kCondemned || !t_.linked(node)) return;
    const Level level = g_.level(node);
    if (report_.nodes_by_level.size() <= level) report_.nodes_by_level.resize(level + 1);
    ++report_.nodes_by_level[level];
    for (Level l = 0; l <= level; ++l) check_list(node, l);
  }

  void check_list(NodeId node, Level level) {
    const BlockHeader* block = t_.block(node, level);
    if (block == nullptr) return;
    const std::span<const NodeId> ids = block->ids();
    if (level == 0) {
      if (report_.degree_histogram.size() <= ids.size()) {
        report_.degree_histogram.resize(ids.size() + 1);
      }
      ++report_.degree_histogram[ids.size()];
    }
    const std::string where = name(node) + " level " + std::to_string(level);
    if (ids.size() > g_.max_links(level)) {
      problem(report_.overfull_lists, "G2: " + where + " has " + std::to_string(ids.size()) +
                                          " links, at most " + std::to_string(g_.max_links(level)));
    }
    std::vector<NodeId> sorted(ids.begin(), ids.end());
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
      problem(report_.duplicate_links, "G2: " + where + " holds an id twice");
    }
    for (const NodeId id : ids) check_link(node, level, id, where);
    check_tree(node, level, *block, where);
  }

  void check_link(NodeId node, Level level, NodeId id, const std::string& where) {
    if (raw(id) >= present_limit() || id == node || g_.state(id) == NodeState::kFree ||
        g_.level(id) < level || !t_.linked(id)) {
      problem(report_.invalid_links, "G3, G8: " + where + " links to " + name(id) +
                                         ", which is itself, free or not on that level");
      return;
    }
    const NodeState s = g_.state(id);
    if (s == NodeState::kTombstone || s == NodeState::kCondemned) ++report_.dead_links;
    const BlockHeader* other = t_.block(id, level);
    if (other == nullptr) return;
    const std::span<const NodeId> back = other->ids();
    if (std::find(back.begin(), back.end(), node) == back.end()) ++report_.asymmetric_links;
  }

  // Condemned nodes leave the tree while a repair pass runs; everybody else is in it.
  void check_tree(NodeId node, Level level, const BlockHeader& block, const std::string& where) {
    const NodeId parent = block.parent;
    if (parent == kNoNode || !whole_[raw(node)]) return;
    if (g_.state(node) == NodeState::kCondemned) return;
    const BlockHeader* above = raw(parent) < present_limit() ? t_.block(parent, level) : nullptr;
    const auto holds = [](std::span<const NodeId> ids, NodeId id) {
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    if (!holds(block.ids(), parent) || above == nullptr || !holds(above->children(), node)) {
      problem(report_.tree_errors, "G9: " + where + " hangs from " + name(parent) +
                                       ", and the two lists do not agree on it");
    }
  }

  std::vector<bool> walk(NodeId start, Level level) const {
    std::vector<bool> reached(std::max(limit_, present_limit()));
    std::vector<NodeId> stack;
    if (raw(start) >= reached.size()) return reached;
    reached[raw(start)] = true;
    stack.push_back(start);
    while (!stack.empty()) {
      const NodeId at = stack.back();
      stack.pop_back();
      const BlockHeader* block = t_.block(at, level);
      if (block == nullptr) continue;
      for (const NodeId id : block->ids()) {
        if (raw(id) >= present_limit()) continue;
        if (raw(id) >= reached.size()) reached.resize(present_limit());
        if (reached[raw(id)] || g_.level(id) < level) continue;
        reached[raw(id)] = true;
        stack.push_back(id);
      }
    }
    return reached;
  }

  void count_unreachable(Level level, const std::vector<bool>& reached) {
    for (std::uint64_t i = 0; i < limit_; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (reached[i] || !whole_[i] || g_.state(node) != NodeState::kLive) continue;
      if (g_.level(node) < level) continue;
      problem(report_.unreachable, "G9: " + name(node) + " (label " +
                                       std::to_string(g_.labels[node]) +
                                       ") is not reached on level " + std::to_string(level));
    }
  }

  const GraphState& g_;
  const Topology& t_;
  const std::vector<bool>& whole_;
  const std::uint64_t limit_;
  ValidateReport& report_;
  const std::size_t max_messages_;
};

}  // namespace

Status Graph::validate(ValidateReport& report, std::size_t max_messages,
                       const StepCallback& step) const {
  const GraphState& g = *state_;
  const Moment moment(*this);
  const bool flat = moment.scratch().flat;  // then nobody hangs in a tree, or all do at once
  std::vector<bool> whole(node_limit());
  for (std::uint64_t i = 0; i < whole.size(); ++i) {
    const NodeState s = g.state(NodeId{static_cast<std::uint32_t>(i)});
    whole[i] = !flat && (s == NodeState::kLive || s == NodeState::kTombstone);
  }
  g.backlog.for_each([&](NodeId node) {
    if (raw(node) < whole.size()) whole[raw(node)] = false;
  });
  const Topology& t = *g.topology.load(std::memory_order_acquire);
  if (!Validator(g, t, whole, report, max_messages).run(step)) {
    return Status::cancelled("validation cancelled");
  }
  return {};
}

}  // namespace vicinal::graph
