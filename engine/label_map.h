// LabelMap: which node holds a label.
//
// What: shards, each a mutex and a hash set of node ids that hashes a node by the label that the
// graph holds for it, so an entry costs 8 bytes of a bucket (about 13 a label at the usual load)
// and no label is stored twice. Until there are kFew labels all are in one set,
// behind one mutex. An erased label keeps its tombstone's node, so that it can be
// resurrected, until the node's slot is recycled.
// Threads: any; shard mutexes are held for one look or one switch.
//
// Invariants (validate.cc checks E2 and E3):
//   E2  A node that counts at a moment is what Moment::stood() says of its label's entry.
//   E3  Every entry leads to a node that bears the label and whose slot is in use.
//   E4  A label's entry is switched to its next node before that is stored and shown, so that after
//       the commit nothing is left that could fail, and put back when it is not stored. Readers go
//       by stood(): an entry that is ahead of them leads back to the node of their moment.
#pragma once

#include <tsl/robin_set.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/allocator.h"
#include "engine/base/mutex.h"
#include "engine/base/worker_pool.h"
#include "engine/claims.h"
#include "graph/graph.h"

namespace vicinal::engine {

class LabelMap {
 public:
  static constexpr unsigned kShardBits = 5;
  static constexpr std::size_t kShards = std::size_t{1} << kShardBits;

  explicit LabelMap(const graph::Graph& graph);
  ~LabelMap() { delete shards_.load(); }
  LabelMap(const LabelMap&) = delete;
  LabelMap& operator=(const LabelMap&) = delete;

  /// The node of `label`, or kNoNode.
  graph::NodeId find(Label label) const;
  /// Makes `node` the node of its label. Allocates only where the label has none.
  void set(graph::NodeId node);
  /// Undoes set(node): the label's node is `before` again (kNoNode: none).
  void put_back(graph::NodeId node, graph::NodeId before) noexcept;
  /// Makes `node` the node of its label unless the label has one; returns the label's node.
  graph::NodeId set_if_absent(graph::NodeId node);
  /// For loading, while nobody else uses the map: set_if_absent() for every live node of the graph,
  /// a shard at a time, whose table lies in the cache then. Returns the nodes whose label another
  /// one has, ascending; of equal labels the lowest node has it.
  std::vector<graph::NodeId> take_live(const internal::Workers& workers);
  /// For loading, after it: set_if_absent() for every tombstone.
  void take_tombstones();
  /// Forgets `label` if `node` is still its node.
  void forget(Label label, graph::NodeId node);

  void reserve(std::uint64_t count);
  std::uint64_t bytes() const;
  /// Calls `visit` for every node in the map, shard by shard; `visit` must not call the map.
  void for_each(const std::function<void(graph::NodeId)>& visit) const;
  /// The labels of one of kShards shards at one moment. A label is always in the same.
  std::vector<Label> labels_of(std::size_t shard) const;

  static constexpr std::size_t shard_of(Label label) {
    return mix_label(label) >> (64 - kShardBits);
  }

 private:
  struct Hash {
    const graph::Graph* graph;
    std::size_t operator()(graph::NodeId node) const { return mix_label(graph->label(node)); }
    std::size_t operator()(Label label) const { return mix_label(label); }
  };
  struct Equal {
    using is_transparent = void;
    const graph::Graph* graph;
    bool operator()(graph::NodeId a, graph::NodeId b) const {
      return graph->label(a) == graph->label(b);
    }
    bool operator()(Label a, graph::NodeId b) const { return a == graph->label(b); }
    bool operator()(graph::NodeId a, Label b) const { return graph->label(a) == b; }
  };
  using NodeSet =
      tsl::robin_set<graph::NodeId, Hash, Equal, internal::HookAllocator<graph::NodeId>>;
  struct Shard {
    explicit Shard(const graph::Graph& graph);
    mutable internal::Mutex mutex;
    NodeSet nodes VICINAL_GUARDED_BY(mutex);
  };
  /// On lines of its own: others are locked beside it.
  struct alignas(64) OneOfMany : Shard {
    using Shard::Shard;
  };
  using Shards = std::vector<std::unique_ptr<OneOfMany>>;
  /// The set that a shard's labels are in, locked for the length of a scope.
  class VICINAL_SCOPED_CAPABILITY Locked {
   public:
    Locked(const LabelMap& map, std::size_t number) VICINAL_ACQUIRE(shard.mutex)
        : shard(lock_shard(map, number)) {}
    ~Locked() VICINAL_RELEASE() { shard.mutex.unlock(); }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;

    Shard& shard;
  };

  // Which one it returns locked is found out by looking again; Locked says that it is.
  static Shard& lock_shard(const LabelMap& map,
                           std::size_t number) VICINAL_NO_THREAD_SAFETY_ANALYSIS;
  static void set_locked(Shard& shard, Label label, graph::NodeId node)
      VICINAL_REQUIRES(shard.mutex);
  /// Deals the labels out among kShards sets once they are many. Where memory runs out they stay
  /// together until another comes.
  void split_if_many(std::uint64_t expected) noexcept;

  static constexpr std::uint64_t kFew = 512;

  const graph::Graph& graph_;
  mutable Shard few_;  ///< all labels, until there are shards
  std::atomic<Shards*> shards_{
      nullptr};  ///< owned; made, once all labels are in them, under its mutex
};

}  // namespace vicinal::engine
