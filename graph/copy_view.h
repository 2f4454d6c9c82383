// CopyView: which nodes and links of a graph a copy of it has (Index::save()).
//
// What: a copy has what counts and, so that the trees hang together (G9), the tombstones that are
// linked; not condemned ones, whose lists may lead to slots that are used again. A node that stands
// in the backlog has no whole links: who makes a graph of the copy links it afresh. Lists are read
// one after the other and, beside writers, need not agree on parents: who makes a graph of the copy
// mends the trees.
// Ownership: borrows the graph, and its moment.
// Threads: its own thread's. Takes no lock and allocates nothing.
#pragma once

#include <cstdint>

#include "graph/moment.h"
#include "graph/types.h"

namespace vicinal::graph {

class Graph;
class GraphState;
class Topology;

class CopyView {
 public:
  /// Of a moment, beside readers and writers, as long as it lasts.
  CopyView(const Graph& graph, const Moment& moment);
  /// Of a graph in which nothing is linked, shown, hidden or freed meanwhile: nobody writes, or this
  /// is the child of a fork(). Enters no epoch and borrows no scratch.
  explicit CopyView(const Graph& still);

  /// Every node of the copy is below it.
  std::uint64_t limit() const { return limit_; }
  bool flat() const { return flat_; }
  /// Not always a node of the copy.
  EntryPoint entry_point() const { return entry_; }

  /// kLive or kTombstone; kFree for what the copy does not have.
  NodeState state(NodeId node) const;
  /// Whether all lists of a node of the copy are there. Beside writers they may go later, if it is a
  /// tombstone.
  bool linked(NodeId node) const;
  /// The list of `node` at `level`, a level that it has; empty when there is none.
  LevelLinksView links(NodeId node, Level level) const;

 private:
  const GraphState& g_;
  const Moment* moment_;  ///< null: still
  const Topology* topology_;
  EntryPoint entry_;
  bool flat_;
  std::uint64_t limit_;
};

}  // namespace vicinal::graph
