// LinkList: one node's links at one level, taken out of its block to be changed and written back.
//
// What: the only code that makes blocks. It keeps track of which links are tree links (G9), fills
// in distances that a loaded block lacks, prunes when the list is too long, and publishes the new
// block.
// Ownership: its entries are a copy; the blocks are the topology's.
// Threads: load(), changes and publish() happen under the node's stripe, except before the node is
// reachable.
#pragma once

#include <cstdint>

#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/select_links.h"
#include "graph/topology.h"

namespace vicinal::graph {

class LinkList {
 public:
  enum class Kind : std::uint8_t { kOrdinary, kChild, kParent };
  struct Entry {
    Neighbor neighbor;
    Kind kind = Kind::kOrdinary;
    /// Ordinary, and chosen by the selection that chose all other settled ones: these need no
    /// comparison with each other at the next. (Taking some out leaves the rest settled.)
    bool settled = false;
  };

  LinkList(const GraphState& g, NodeId owner, Level level, Scratch& scratch)
      : g_(g), owner_(owner), level_(level), scratch_(scratch) {}

  /// Reads the present block; false when the node has none at this level.
  bool load(const Topology& t);

  internal::Vector<Entry>& entries() { return entries_; }
  Entry* find(NodeId node);
  std::size_t child_count() const;
  NodeId parent() const;
  /// The parent's entry becomes ordinary.
  void clear_parent();
  void add(const Neighbor& neighbor, Kind kind) { entries_.push_back({neighbor, kind, false}); }

  /// When there are more than max_links, keeps those that select_links chooses, tree links first of
  /// all, and leaves an eighth of the list free so that the next additions need no choice.
  void prune_if_overfull();
  /// Keeps what select_links chooses of the entries, whatever their number.
  void prune();
  /// Writes a block and publishes it.
  void publish(Topology& t);

 private:
  void fill_distances(const BlockHeader& block);

  const GraphState& g_;
  const NodeId owner_;
  const Level level_;
  Scratch& scratch_;
  internal::Vector<Entry> entries_;
};

}  // namespace vicinal::graph
