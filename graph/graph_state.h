// GraphState: what stands behind the Graph facade, shared by the verbs.
//
// What: per-node payload, the present topology, the locks. No algorithm lives here.
// Ownership: the Graph's; owns arenas and topologies.
// Threads: fields are grouped by what protects them. The verbs keep the invariants of graph.h.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/worker_pool.h"
#include "graph/arena.h"
#include "graph/config.h"
#include "graph/epoch.h"
#include "graph/left_slots.h"
#include "graph/link_backlog.h"
#include "graph/linkers.h"
#include "graph/pieces.h"
#include "graph/row_codec.h"
#include "graph/scratch.h"
#include "graph/search_cost.h"
#include "graph/sketch_trial.h"
#include "graph/topology.h"
#include "graph/types.h"
#include "graph/visibility.h"
#include "graph/write_gate.h"
#include "kernels/kernels.h"

namespace vicinal::graph {

class GraphState {
 public:
  GraphState(const Config& config, const kernels::KernelTable& kernels,
             std::shared_ptr<internal::WorkerPool> pool);
  ~GraphState();
  GraphState(const GraphState&) = delete;
  GraphState& operator=(const GraphState&) = delete;

  // -- Constant after construction.
  const Config config;
  const kernels::KernelTable& kernels;
  const RowCodec codec;
  const bool use_codes;     ///< int8 codes are traversed
  const bool own_codes;     ///< they are others than the rows (codes.h)
  const bool use_sketches;  ///< sketches.h
  /// No links yet (flat.h); true to false once, under slots_mutex.
  std::atomic<bool> flat;
  const std::shared_ptr<internal::WorkerPool> pool;

  internal::Workers workers(unsigned threads) const { return {*pool, threads}; }

  std::uint32_t max_links(Level level) const { return level == 0 ? 2 * config.M : config.M; }
  /// Children that a list takes; the rest of it stays free for select_links.
  std::uint32_t max_children(Level level) const { return max_links(level) / 2; }
  Level draw_level(Label label) const;

  /// Where rows (or codes, where rows are not kept) and fields of nodes are while the graph is flat;
  /// they end after the tables. What rows were copied from when linking began stays until the readers
  /// of left_rows_tag have left; fields are looked at outside of any epoch, and theirs stays.
  Pieces row_pieces VICINAL_GUARDED_BY(slots_mutex);
  Pieces field_pieces VICINAL_GUARDED_BY(slots_mutex){1, Pieces::Lines::kNever};

  // -- Payload: written before the node is linked (G4), then read-only until the slot is reused
  // (G8).
  SegmentTable vectors;
  SegmentTable codes;     ///< none unless own_codes
  SegmentTable sketches;  ///< none while flat
  SegmentedArray<Label> labels;
  SegmentedArray<float> inverse_norms;  ///< cosine only
  struct Standing {
    std::atomic<std::uint8_t> state;  ///< what writers go by; readers by visibility
    std::uint8_t level;
  };
  SegmentedArray<Standing> standings;

  NodeState state(NodeId node) const {
    return static_cast<NodeState>(standings[node].state.load(std::memory_order_acquire));
  }
  NodeState state_relaxed(NodeId node) const {
    return static_cast<NodeState>(standings[node].state.load(std::memory_order_relaxed));
  }
  void set_state(NodeId node, NodeState s) {
    standings[node].state.store(static_cast<std::uint8_t>(s), std::memory_order_release);
  }
  const std::byte* vector_row(NodeId node) const { return vectors.row(raw(node)); }
  /// What is traversed.
  const SegmentTable& walked() const { return own_codes ? codes : vectors; }
  Level level(NodeId node) const { return standings[node].level; }

  /// Made before the first code, then constant.
  std::unique_ptr<const std::vector<float>> rotation_signs;
  /// Whether a row gets its code when it is written, and not when linking begins.
  bool codes_at_once() const {
    return own_codes && !(config.keep_vectors && flat.load(std::memory_order_relaxed));
  }

  /// Makes every per-node array hold ids below `limit`, and free_slots all of them at once. Locked
  /// against the swap of the topology. Ends being flat where the limit says so.
  void grow(std::uint64_t limit) VICINAL_REQUIRES(slots_mutex);
  /// What the next three may need of a scratch: then they throw nothing.
  void make_room(Scratch& scratch) const;
  /// Writes row, code, norm, label and level of a slot that nobody can reach.
  void write_payload(NodeId node, Label label, Level level, const std::byte* row, Scratch& scratch);
  /// The parts of it: what is there from the beginning (label, level), then norm, row and code.
  void write_node(NodeId node, Label label, Level level);
  void write_row(NodeId node, const std::byte* row, Scratch& scratch);
  /// Of the row, only what traversal compares: norm and code, or else norm and row.
  void write_comparable(NodeId node, const std::byte* row, Scratch& scratch);
  /// 1 / |vector| under cosine (0 for a vector of zeros), else 1.
  float inverse_norm(const float* vector) const;
  /// Where rows are codes, the vector that a walk takes the node for: under cosine of length 1, the
  /// same whatever the row's own length.
  void decode_walked(NodeId node, float* vector) const;

  // -- Standing still: every change is inside it, but for loading's.
  WriteGate write_gate;

  // -- Slots.
  mutable internal::Mutex slots_mutex;
  /// Of rebuild and repair: one at a time, with one stripe at most.
  internal::Mutex maintenance_mutex;
  /// Giving a slot back throws nothing.
  internal::Vector<NodeId> free_slots VICINAL_GUARDED_BY(slots_mutex);
  /// Slots that readers may still hold. Capacity as free_slots.
  LeftSlots left_slots VICINAL_GUARDED_BY(slots_mutex);
  /// Tombstones of a flat graph that wait for the readers of `tag`.
  struct FlatCondemned {
    internal::Vector<NodeId> nodes;
    std::uint64_t tag = 0;
  };
  /// Made by the first repair_flat() that finds some.
  std::unique_ptr<FlatCondemned> flat_condemned VICINAL_GUARDED_BY(slots_mutex);
  /// Frees the slots, and the pieces, that no reader holds any more.
  void reclaim_slots() noexcept VICINAL_REQUIRES(slots_mutex);
  /// What a rebuild left behind: its readers may stand on nodes that the new topology lacks.
  struct LeftTopology {
    std::unique_ptr<Topology> topology;
    internal::Vector<NodeId> left_out;
    std::uint64_t tag;
  };
  internal::Vector<LeftTopology>& left_topologies() VICINAL_REQUIRES(slots_mutex) {
    return linking->left_topologies;
  }
  /// Ends what no reader is in any more, and hands out what it left; true when none is left.
  bool reclaim_topologies() VICINAL_EXCLUDES(slots_mutex);
  /// Nodes in no list become free once the readers of now have left.
  void leave_slots(std::span<const NodeId> nodes) noexcept VICINAL_REQUIRES(slots_mutex);
  /// Nothing names them, take_unlinked() hands them out. Capacity as free_slots.
  internal::Vector<NodeId> unlinked_slots VICINAL_GUARDED_BY(slots_mutex);
  std::atomic<std::uint64_t> next_slot{0};  ///< grows under slots_mutex; arrays are grown before it

  // -- Visibility. `states` of nodes that are shown or hidden change inside its steps.
  EpochDomain epochs;
  Visibility visibility{epochs};
  std::atomic<std::int32_t> live_count{0};
  std::atomic<std::int32_t> tombstone_count{0};  ///< condemned included

  // -- Links.
  LinkBacklog backlog;
  mutable ScratchPool scratches{epochs};
  /// Owned, but for Topology::none() of a flat graph; replaced by rebuild, the old one dies after its
  /// readers.
  std::atomic<Topology*> topology;

  // -- Rebuild and repair.
  /// How far repair is in its pass.
  struct RepairPass {
    enum class Phase : std::uint8_t {
      kIdle,
      kCondemn,
      kCondemned,  ///< until the readers and linkers of before have left
      kReparent,
      kRelink,
      kRelinked,  ///< until the readers of before have left
      kRetire,
      kLookAnew
    };
    Phase phase = Phase::kIdle;
    std::uint64_t tag = 0;          ///< of the readers it waits for, in phases that wait
    std::uint64_t linkers_tag = 0;  ///< of linkers.h, likewise
    std::uint64_t cursor = 0;
    std::uint64_t limit = 0;
    std::vector<NodeId> condemned;
    std::vector<NodeId> underfull;  ///< lost more links than their neighborhoods could replace
  };
  RepairPass& repair_pass() VICINAL_REQUIRES(maintenance_mutex) { return linking->pass; }

  static constexpr std::size_t kStripes = 1024;
  struct alignas(64) Stripe {
    internal::Mutex mutex;
  };
  internal::Mutex& stripe(NodeId node) {
    return linking->stripes[(raw(node) * 2654435761u >> 16) % kStripes].mutex;
  }

  /// What only links need.
  struct Linking {
    std::array<Stripe, kStripes> stripes;
    Linkers linkers;

    internal::Vector<LeftTopology> left_topologies;  ///< of left_topologies()
    std::atomic<bool> topologies_left{false};        ///< there are some
    /// Of row_pieces, under slots_mutex; 0 while none are left.
    std::uint64_t left_rows_tag = 0;

    /// Raised when a repair pass has condemned, before it takes its tag of the linkers: who links
    /// after that finds links void that were planned before.
    std::atomic<std::uint64_t> condemnations{0};
    /// What a rebuild is about to make the present topology: what is linked is linked in it first,
    /// then in the present one. Changes under slots_mutex, so that both grow.
    std::atomic<Topology*> coming{nullptr};
    /// A rebuild notes what is linked in the present topology only.
    std::atomic<bool> rebuilding{false};
    internal::Mutex linked_meanwhile_mutex;
    /// Nodes linked while a rebuild ran.
    internal::Vector<NodeId> linked_meanwhile VICINAL_GUARDED_BY(linked_meanwhile_mutex);

    internal::Mutex crowded_mutex;
    /// Linked where most of what was met were tombstones.
    internal::Vector<NodeId> crowded VICINAL_GUARDED_BY(crowded_mutex);

    RepairPass pass;  ///< of repair_pass()
  };
  /// Null while flat: make_linking_parts() makes it, under slots_mutex, before `flat` becomes false.
  std::unique_ptr<Linking> linking;

  // -- What searches cost and how often they fell back.
  mutable WalkStatistics walk_statistics;
  SketchTrial sketch_trial;
};

/// Makes every per-node array of a graph that has links, or is about to, hold ids below `limit`.
void grow_tables(GraphState& g, std::uint64_t limit) VICINAL_REQUIRES(g.slots_mutex);
/// The code row of a vector: `row` is codes.stride() long.
void encode(const GraphState& g, const float* vector, float inverse_norm, std::byte* row,
            Scratch& scratch);
/// The sketch of a node that has its code.
void write_sketch(GraphState& g, NodeId node, Scratch& scratch);
/// Memory that the process has for what is kept by node, rows and codes aside.
std::uint64_t bytes_of_nodes(const GraphState& g) VICINAL_EXCLUDES(g.slots_mutex);

}  // namespace vicinal::graph
