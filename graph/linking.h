// Linking: how nodes come to hang in a topology. Shared by link(), link_batch(), rebuild() and
// repair().
//
// Threads: every function beside readers and other writers, inside an epoch; each locks one stripe
// at a time.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "graph/callbacks.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// A node that wants to be linked from a target.
struct Incoming {
  Neighbor from;              ///< the node and its distance from the target
  bool wants_parent = false;  ///< asks the target to be its parent
  bool adopted = false;       ///< the answer
};

/// How far a target goes to adopt a child.
enum class Adoption : std::uint8_t {
  kUsual,      ///< up to max_children(level)
  kLastResort  ///< as long as the list holds anything that is no tree link
};

/// Adds links from `target` to each of `incoming` (nearest first), under the target's stripe: the
/// back-links of algorithm 1. A condemned target takes none.
void add_links(GraphState& g, Topology& t, NodeId target, Level level, std::span<Incoming> incoming,
               Adoption adoption, Scratch& scratch);

/// The back-links of what was added to the list of `node`: a link to it from each of `targets`.
void link_from(GraphState& g, Topology& t, std::span<const Neighbor> targets, NodeId node,
               Level level, Scratch& scratch);

/// Adds what `node` lacks of `wanted` to its list, as far as it is kept, and the links back.
void add_links_both_ways(GraphState& g, Topology& t, NodeId node, Level level,
                         std::span<const Neighbor> wanted, Scratch& scratch);

/// Writes `parent` into the child's own list. The parent has adopted the child before.
void set_parent(GraphState& g, Topology& t, NodeId child, Level level, const Neighbor& parent,
                Scratch& scratch);

/// The child of `from` nearest to `node` that is not condemned; its node is kNoNode when there is
/// none. Children that have moved on do not count: following them could lead in a circle.
Neighbor nearest_child(const GraphState& g, const Topology& t, NodeId node, NodeId from,
                       Level level, Scratch& scratch);

/// Finds a parent for `child` that is linked at `level` and publishes both sides: asks `near`
/// (nearest first), then walks down the tree from them. False when every one of them is condemned.
bool find_parent(GraphState& g, Topology& t, NodeId child, Level level,
                 std::span<const Neighbor> near, Scratch& scratch);

/// What a search found for one level of a new node.
struct ForwardLinks {
  Level level = 0;
  /// Nearest first, then tombstones, if any; the first is the parent that is hoped for.
  internal::Vector<Neighbor> links;
  bool crowded = false;  ///< tombstones stood where its links should go: see note_crowded()
};

/// The way down to the highest level at which a node is to be linked.
struct Approach {
  EntryPoint entry;
  Level level = 0;  ///< min(the node's, the entry point's)
  Neighbor start;   ///< the nearest met above it: where the search at `level` begins
  /// The nearest at levels 3, 2 and 1, as far as they lie above `level`. Nodes that agree in them
  /// are near each other.
  std::array<NodeId, 3> passed = {kNoNode, kNoNode, kNoNode};
};
Approach approach(const GraphState& g, const Topology& t, NodeId node, EntryPoint entry,
                  Scratch& scratch);

/// Algorithm 1, first half, without a change to anything: for each level from `low` to the
/// approach's the links that the node should have, level low first.
void find_forward_links(const GraphState& g, const Topology& t, NodeId node,
                        const Approach& approach, Level low, Scratch& scratch,
                        internal::Vector<ForwardLinks>& out);

/// Publishes the node's own list with the hoped-for parent; the node is not reachable at that level
/// yet.
void publish_forward_links(GraphState& g, Topology& t, NodeId node, const ForwardLinks& links,
                           Scratch& scratch);

/// Has the node's links looked for anew by the repair that unlinks the tombstones around it.
void note_crowded(GraphState& g, NodeId node);

/// With as many whom a node may have missed it is compared; beyond, it searches anew.
inline constexpr std::size_t kFewOthers = 256;

/// Those of `others` that a node should have links to at level 0: its selection among them and
/// `links`, which are the outcome of a selection too. Takes out of `links` what they occlude, never
/// the first. No id twice in either.
void choose_mates(const GraphState& g, const Topology& t, NodeId node,
                  std::span<const NodeId> others, internal::Vector<Neighbor>& links,
                  internal::Vector<Neighbor>& mates, Scratch& scratch);

/// Links a node that is linked already to its mates among `others`, both ways, at level 0.
void meet(GraphState& g, Topology& t, NodeId node, std::span<const NodeId> others,
          Scratch& scratch);

/// Looks for the links of a node that is linked already, and adds, on both sides, those it lacks.
void look_for_links_anew(GraphState& g, Topology& t, NodeId node, Scratch& scratch);

/// The first half of algorithm 1 for a node that will be linked later: see Graph::plan_link().
struct LinkPlan {
  // Good as long as these are what they were when it was made.
  std::uint64_t topology = 0;  ///< its serial
  std::uint64_t condemnations = 0;
  std::uint64_t noted_before = 0;  ///< in recently_linked(): good while few came since
  EntryPoint entry;
  internal::Vector<ForwardLinks> forward;  ///< from level 0 on
};

/// Algorithm 1 for one node, which then meets those that were linked meanwhile. `t` may be a
/// topology that is being built. The `plan`, which may be null, is for the present topology; its
/// links are moved from.
void link_node(GraphState& g, Topology& t, NodeId node, LinkPlan* plan, Scratch& scratch);

/// Tells a rebuild that runs, if one does, that `nodes` were linked in the present topology.
void note_linked(GraphState& g, std::span<const NodeId> nodes);

/// Links many in rounds; see Graph::link_batch. Into `fixed`, or, when it is null, into the present
/// topology and the one that a rebuild is about to swap in, if any.
bool link_nodes(GraphState& g, Topology* fixed, std::span<const NodeId> nodes, unsigned threads,
                const RoundCallback& linked, const StepCallback& step);

}  // namespace vicinal::graph
