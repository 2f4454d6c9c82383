// Moment: what a reader sees from its beginning to its end (graph.h, G10 and G11).
//
// Ownership: borrows the graph and one of its scratches.
// Threads: its own thread's. Several may live on one thread (a filter that searches).
#pragma once

#include "graph/types.h"

namespace vicinal::graph {

class Graph;
struct Scratch;

/// One moment of a graph, and a stay inside it: while it lives, what counts at the moment keeps its
/// slot, its payload and its links. Cheap; for one call.
class Moment {
 public:
  explicit Moment(const Graph& graph);
  ~Moment();
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;

  /// Whether searches of this moment may return `node`.
  bool counts(NodeId node) const;
  /// The node that stood for a label at this moment, by the node that stands for it now (or is
  /// about to: Graph::add_node()); kNoNode when none did.
  NodeId stood(NodeId now) const;
  /// True while the calling thread is inside a moment of any graph: then it must not wait for
  /// readers.
  static bool thread_is_inside();

  Scratch& scratch() const { return *scratch_; }  ///< for the verbs of the graph

 private:
  const Graph& graph_;
  Scratch* scratch_;
};

}  // namespace vicinal::graph
