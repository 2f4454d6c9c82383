// Graph: an HNSW graph over vectors in memory, searchable while nodes are linked, hidden, unlinked
// and reused.
//
// What: nodes (payload and state), links, and the verbs on them, one file per verb: add_nodes.cc
// (add, discard, reserve), flat.cc (while there are few), steps.cc (show, erase, resurrect, pin), insert.cc (link, plan_link),
// build.cc (link_batch), link_backlog.cc, restore.cc (place, load, restore), rebuild.cc, repair.cc,
// recycle.cc (take_unlinked, recycle), search.cc, scan.cc, validate.cc. What is no verb is in
// graph.cc; moment.cc is what readers stand on. It knows nothing of labels' uniqueness, of
// durability or of users: the engine orders the steps (DESIGN section 3).
// Ownership: owns its arenas; no pointer it returns outlives it. Not copyable or movable.
//
// The paper: Malkov and Yashunin, 2018 (algorithms named where they stand). Departures:
//   - a link list is an immutable block, replaced by copy: searches take no lock (DESIGN, 4);
//   - copies occlude nothing but each other, hang together in the tree, and a walk keeps one of each
//     value (copies.h);
//   - every level is spanned by a tree of parent links that no pruning takes away (G9), so that
//     whatever is linked can be reached;
//   - a node is linked to tombstones too where hardly anything else, or nothing nearer, is there;
//   - traversal runs over int8 codes, results are re-ranked from float32.
//
// Threads: every method from any thread beside any other unless it says otherwise. Searches take no
// lock. Writers lock one stripe at a time and hold no other stripe.
//
// Invariants (validate.cc checks those marked *; tests name them):
//   G1* A node's links on a level are one immutable block; the handle is published with release and
//       read with acquire. The block is reused only after every reader that could hold it has left.
//   G2* A list holds at most max_links(level) ids, none twice, never its own node.
//   G3* A link at level L names a node that has level L.
//   G4  A node's payload is complete before any link to it can be read.
//   G5  A node's forward links on all levels are published before any back-link to it.
//   G6* The entry point is one atomic value (node, level) and is a node of the highest level used.
//   G7  Storage never moves, but for rows and fields of a flat graph, which are copied once (G15).
//   G8* A slot is reused only when no list names it and no reader can still hold it.
//   G9* On each level parent links form a tree over the linked nodes that have the level: a child
//       stands in its parent's list and the parent in the child's. Hence every linked node is
//       reachable from every other. No operation but repair moves a child, and it attaches before
//       it detaches; only where condemned children fill all lists that come into question (seen at
//       M 4 and 5 with nine tenths erased) may what hangs below one of them be loose until its
//       turn in the same scan.
//   G10 A reader sees one moment (visibility.h): of an update the old node or the new one, never
//       both or neither, and all that was shown before it began.
//   G11 What counted for a reader stays linked while he is inside: a repair pass unlinks nothing it
//       has condemned before all readers of that moment have left, and a rebuild leaves out only
//       what was hidden before those who see its topology began.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/worker_pool.h"
#include "graph/callbacks.h"
#include "graph/config.h"
#include "graph/found.h"
#include "graph/moment.h"
#include "graph/row_source.h"
#include "graph/search_request.h"
#include "graph/types.h"
#include "kernels/kernels.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::graph {

struct GraphStats {
  bool flat = false;      ///< see Graph::flat()
  bool sketches = false;  ///< searches go by them: SketchTrial::passed()
  std::uint64_t live = 0;
  std::uint64_t tombstones = 0;  ///< condemned ones included
  std::uint64_t free_slots = 0;
  /// Linked nodes, or all while the graph is flat, by the highest level they have or will have.
  std::vector<std::uint64_t> nodes_by_level;
  std::vector<std::uint64_t> links_by_level;
  std::uint64_t bytes_vectors = 0;
  std::uint64_t bytes_codes = 0;
  std::uint64_t bytes_links = 0;
  std::uint64_t bytes_nodes = 0;
  std::uint64_t bytes_scratch = 0;
  /// Walks that ended before they had met enough nodes that count, and what was done about it: a
  /// wider walk, or a scan.
  std::uint64_t wider_walks = 0;
  std::uint64_t fallback_scans = 0;
};

/// What restore_links() could not take as it was.
struct RestoredLinks {
  std::uint64_t rejected_nodes = 0;  ///< their links cannot be
  std::uint64_t cut_nodes = 0;       ///< had links to what is not there
  std::uint64_t left_out = 0;        ///< links of cut nodes that were left out
  /// Lists without a parent: one on each level of a whole graph. More: a repair pass was cut short,
  /// and what it had condemned came back as a tree of its own.
  std::uint64_t roots = 0;
};

class GraphState;  // everything behind the facade; defined in graph_state.h
struct LinkPlan;   // what plan_link() finds; defined in insert.h
class RowCodec;    // defined in row_codec.h
class WriteGate;   // defined in write_gate.h

class Graph {
 public:
  /// `pool` helps whatever takes a number of threads; it outlives the graph.
  /// Errors: kInvalidArgument for a forced CPU target that does not exist here. Ranges are the
  /// engine's check.
  static Result<std::unique_ptr<Graph>> create(const Config& config,
                                               std::shared_ptr<internal::WorkerPool> pool);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  const Config& config() const;
  const kernels::KernelTable& kernels() const;
  /// What its rows are.
  const RowCodec& codec() const;
  /// Of its pool, for those above who share work on its nodes.
  internal::Workers workers(unsigned threads) const;

  // ---- Nodes. Payload is written once, before the node is linked.

  /// Takes a free slot and writes `row` (made by codec()) into it, state kPending,
  /// unreachable. `replaced` is the node that the label has until now, or kNoNode: show() hides it,
  /// and Moment::stood() goes on to it until then.
  /// Errors: kFull.
  Result<NodeId> add_node(Label label, const std::byte* row, NodeId replaced = kNoNode);
  /// A vector to be added.
  struct NewNode {
    Label label = 0;
    const std::byte* row = nullptr;
    NodeId replaced = kNoNode;
  };
  /// add_node() for many, by at most `threads` threads; all or none. From 4,096 on, those near each
  /// other get slots near each other (placement.h); fewer get them in their order. Neither depends
  /// on the threads.
  /// Errors: kFull. Throws std::bad_alloc.
  Result<std::vector<NodeId>> add_nodes(std::span<const NewNode> nodes, unsigned threads);
  /// For loading: writes exactly slot `node`, with the level stored for it. Different slots may be
  /// placed from different threads; no slot twice.
  /// Errors: kCorruption when the slot is taken or out of range.
  Status place_node(NodeId node, Label label, Level level, const std::byte* row, NodeState state);
  /// place_node() for many, in ascending order. An error leaves those before the wrong one placed.
  Status place_nodes(std::span<const StoredPayload> nodes);
  /// After loading: slots below `limit` that nothing was placed in become free.
  void finish_placing(std::uint64_t limit);
  /// Gives back kPending nodes that were never linked; readers may have come by them (stood()).
  void discard_nodes(std::span<const NodeId> nodes) noexcept;

  Label label(NodeId node) const;
  Level level(NodeId node) const;
  NodeState state(NodeId node) const;
  /// Slots ever used: every node is below it.
  std::uint64_t node_limit() const;
  /// The stored row, or nullptr when rows are not kept. Valid inside a Moment.
  const std::byte* row(NodeId node) const;
  /// True when links of `node` are published.
  bool linked(NodeId node) const;
  /// Nodes in used slots that are not linked(), ascending.
  std::vector<NodeId> unlinked_nodes() const;
  /// A hint that `count` nodes will be held: where that is too many for a flat graph, linking
  /// begins at once.
  void reserve(std::uint64_t count);

  // ---- Steps (steps.cc): each call is one for every reader (G10). Nothing here can fail.

  /// kPending nodes become kLive, the live ones that they replace tombstones.
  void show(std::span<const NodeId> fresh);
  void show(NodeId fresh) { show(std::span(&fresh, 1)); }
  /// The same, and kTombstone nodes become kLive again, but for those that are no tombstones any
  /// more (condemned or freed; not those that are pinned): those must be inserted afresh.
  void show(std::span<const NodeId> fresh, std::span<const NodeId> resurrected);
  /// kLive nodes become tombstones; returns how many were live.
  std::size_t erase(std::span<const NodeId> nodes);
  bool erase(NodeId node) { return erase(std::span(&node, 1)) == 1; }
  /// kTombstone to kLive. False when it is not a tombstone any more: see show().
  bool resurrect(NodeId node);
  /// Keeps a tombstone from being condemned until it is resurrected or unpinned: so that, once its
  /// resurrection is stored, it cannot fail. False when it is no tombstone any more.
  bool pin(NodeId node);
  /// No effect on a node that is not pinned any more.
  void unpin(NodeId node) noexcept;

  // ---- Links.

  /// True while there are so few nodes that nothing is linked and searches compare with all of them
  /// (flat.h): what links then has no effect, repair() and rebuild() hand out tombstones at once.
  bool flat() const;
  /// Ends that, however few there are. No effect when it is not flat.
  void begin_linking();
  /// Links a kPending (or, for recovery, any unlinked) node: algorithm 1. Cost O(ef_construction *
  /// M). With a plan of the same node, made since it was added and used once, without the
  /// search, which is most of it. Does not fail: where memory runs out the node joins the backlog
  /// (link_backlog.h), and searches find it there.
  void link(NodeId node, const std::shared_ptr<LinkPlan>& plan = nullptr) noexcept;
  /// link() of those that are not linked().
  void link_missing(std::span<const NodeId> nodes) noexcept;
  /// Links at most `most` nodes of the backlog, as far as there is memory; returns how many.
  std::size_t link_backlog(std::size_t most) noexcept;
  /// How many nodes stand in it, and whether `node` does: then its links are not whole.
  std::uint64_t backlog() const;
  bool in_backlog(NodeId node) const;
  /// The search that link() begins with, ahead of time, for a kPending node; changes nothing. Null
  /// in an empty graph. A plan that is no longer good when it comes to link(), because a repair
  /// pass or a rebuild came between or many nodes were linked, is passed over there.
  std::shared_ptr<LinkPlan> plan_link(NodeId node) const;
  /// Links many with `threads` threads, in rounds against a graph that the batch itself does not
  /// change meanwhile: with one writer the result depends on the nodes and their order only, not on
  /// the threads. Returns false when `step` cancelled: some nodes are linked() whole, the others
  /// not at all. Where memory runs out what is left joins the backlog, and true is returned.
  bool link_batch(std::span<const NodeId> nodes, unsigned threads, const StepCallback& step) {
    return link_batch(nodes, threads, {}, step);
  }
  /// Calls `linked` after every round with the nodes that it linked.
  using RoundCallback = graph::RoundCallback;
  bool link_batch(std::span<const NodeId> nodes, unsigned threads, const RoundCallback& linked,
                  const StepCallback& step);
  /// For loading, before any search: publishes stored links of placed nodes. Links to nodes that do
  /// not have the level are left out; a node that cannot have what is stored (wrong number of
  /// levels, list too long, repeats) gets no links. Several calls may run at once, no node in two
  /// of them and no node placed meanwhile.
  RestoredLinks restore_links(std::span<const StoredLinks> nodes);
  /// For loading, after all restore_links and link: sets the entry point (or finds one when it is
  /// not valid). With `damaged`, parent trees are checked and mended too. `threads` try how
  /// searches find best (sketch_trial.h).
  void finish_restoring(EntryPoint entry_point, bool damaged, unsigned threads);

  /// A fresh graph of all visible nodes, and of the pending nodes in `also`, beside the present
  /// one, swapped in at the end. Tombstones that it leaves out become unlinked (take_unlinked).
  /// One at a time, and beside no repair slice: a second caller waits. kCancelled.
  Status rebuild(unsigned threads, const StepCallback& step, std::span<const NodeId> also = {});

  /// One bounded piece of work on unlinking tombstones; see RepairOptions. Resumes where the last
  /// call stopped. Never waits for readers: where it would have to it returns, `waiting`. One at a
  /// time: a second caller waits.
  RepairResult repair(std::uint64_t slice, const StepCallback& step);
  /// How many nodes hang from no tree (G9): none unless something was damaged. rebuild() mends
  /// that. Beside readers and writers, but for a repair slice or a rebuild, and a walk over all
  /// nodes long.
  std::uint64_t loose_nodes() const;
  /// Ends what rebuilds left behind and no reader is in any more, and lets take_unlinked() have
  /// what it left out. False while some is left: readers are inside. Never waits.
  bool reclaim_topologies();
  /// Nodes that nothing links to any more and no walk holds: the engine records that they are free
  /// and forgets what it knows them by, then calls recycle(). At most `max`.
  std::vector<NodeId> take_unlinked(std::size_t max);
  /// Gives their slots to nodes to come, as soon as readers have left that are inside now: one may
  /// have the node from the engine's label map.
  void recycle(std::span<const NodeId> nodes);

  // ---- Reading.

  /// The k nearest nodes that count at `moment`: algorithms 2 and 5, or a scan while flat(). Writes at most k to `out`,
  /// nearest first, ties by label; returns how many. No lock; no allocation once warm. Where the
  /// filter leaves so few that comparing with all of them is cheaper, that is done (search_cost.h).
  std::size_t search(const Moment& moment, const SearchRequest& request, std::span<Found> out,
                     SearchCounters& counters) const;
  /// Those within `radius` found by the walk, all (k = 0) or the nearest k.
  std::vector<Found> search_radius(const Moment& moment, const SearchRequest& request, float radius,
                                   SearchCounters& counters) const;
  /// Compares float32 with every node that counts and is accepted (scan.cc). Exact.
  std::size_t scan(const Moment& moment, const SearchRequest& request, std::span<Found> out,
                   SearchCounters& counters) const;
  std::vector<Found> scan_radius(const Moment& moment, const SearchRequest& request, float radius,
                                 SearchCounters& counters) const;
  /// Exact distance of two vectors under the metric (clamped to its range).
  float distance(const float* a, const float* b) const;

  std::uint64_t live() const;
  std::uint64_t tombstones() const;
  EntryPoint entry_point() const;
  NodeLinks links(NodeId node) const;
  GraphStats stats() const;
  /// Fills the graph's part of the report (everything but labels and records). `max_messages`
  /// bounds words.
  Status validate(ValidateReport& report, std::size_t max_messages, const StepCallback& step) const;

  /// Nodes whose links changed since the last call, ascending, and forgets them.
  std::vector<NodeId> take_changed_nodes();
  void mark_changed(std::span<const NodeId> nodes) noexcept;
  /// True when no links changed since take_changed_nodes() and nobody is about to change any: what
  /// links() gave in between are lists of one moment. False also while that cannot be told without
  /// waiting.
  bool links_settled() const;

  /// What every change passes; see there who may close it.
  WriteGate& write_gate() const;
  /// In a child, at the fork, where the gate is closed: readers of the parent, who are not here, hold
  /// nothing any more.
  void begin_anew() noexcept;

  GraphState& state() const { return *state_; }  ///< for Moment

 private:
  explicit Graph(std::unique_ptr<GraphState> state);
  std::unique_ptr<GraphState> state_;
};

}  // namespace vicinal::graph
