// Plain types of the graph that other rooms may name: node ids, levels, states, and a node's links
// in the form in which they go to disk. No behaviour, no ownership of anything shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vicinal/types.h"

namespace vicinal::graph {

/// Dense internal id of a node: its slot in every per-node array. Reused only after repair
/// (graph.h, G8).
enum class NodeId : std::uint32_t {};
inline constexpr NodeId kNoNode{0xFFFFFFFFu};
/// Ids stay below this: one bit of a pool entry is spent on "expanded".
inline constexpr std::uint32_t kMaxNodes = 0x7FFFFFFFu;

constexpr std::uint32_t raw(NodeId id) { return static_cast<std::uint32_t>(id); }

/// 0 is the level that holds every node.
using Level = std::uint32_t;
/// Levels are drawn below this whatever the seed says.
inline constexpr Level kMaxLevels = 32;

/// What a stored row is made of.
struct RowShape {
  /// Not explicit: as a rule a dimension says it.
  constexpr RowShape(std::uint32_t d = 0, Storage s = Storage::kFloat32)
      : dimension(d), storage(s) {}

  std::uint32_t dimension;
  Storage storage;

  constexpr std::size_t bytes() const { return stored_bytes(storage, dimension); }

  friend bool operator==(const RowShape&, const RowShape&) = default;
};

/// What a slot holds. On disk: never renumber.
enum class NodeState : std::uint8_t {
  kFree = 0,       ///< nothing; may be handed out
  kPending = 1,    ///< written, perhaps linked, not yet visible to searches
  kLive = 2,       ///< visible
  kTombstone = 3,  ///< erased or replaced: hidden, still traversed, may be resurrected
  kCondemned = 4,  ///< a tombstone that repair is unlinking: takes no new links, never resurrected
};

/// The links of one node at one level. `ids` holds the children first: the first `child_count`
/// links lead to nodes whose parent at this level is this node. `parent` is the node this one hangs
/// from (kNoNode for the root of the level); it stands among `ids` too.
struct LevelLinks {
  NodeId parent = kNoNode;
  std::uint32_t child_count = 0;
  std::vector<NodeId> ids;

  friend bool operator==(const LevelLinks&, const LevelLinks&) = default;
};

/// The links of one node, level 0 first; one entry per level the node has.
using NodeLinks = std::vector<LevelLinks>;

/// LevelLinks whose ids lie in somebody else's memory.
struct LevelLinksView {
  NodeId parent = kNoNode;
  std::uint32_t child_count = 0;
  std::span<const NodeId> ids;
};

/// A node and its links as they come from disk; one entry per level, level 0 first.
struct StoredLinks {
  NodeId node = kNoNode;
  std::span<const LevelLinksView> levels;
};

/// A node as it comes from disk.
struct StoredPayload {
  NodeId node = kNoNode;
  Label label = 0;
  Level level = 0;
  NodeState state = NodeState::kLive;
  const std::byte* row = nullptr;  ///< RowShape::bytes(); not looked at when payload comes later
};

/// The start of every descent.
struct EntryPoint {
  NodeId node = kNoNode;
  Level level = 0;

  friend bool operator==(const EntryPoint&, const EntryPoint&) = default;
};

}  // namespace vicinal::graph
