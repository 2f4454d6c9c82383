// An index as bytes: how the stream is laid out. FORMAT.md, section "An index as bytes", is the prose of
// this file; change both together, and never change what a number means.
//
// What: a preface, then pieces, each with a header: head, nodes, links, end. Nodes are numbered from 0
// on in the order in which they come. What is in a piece is read and written here; stream_writer.h and
// stream_reader.h bring pieces into a stream and out of it.
// Ownership: views of bytes that somebody else keeps.
// Threads: pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "graph/types.h"
#include "persist/format.h"
#include "persist/stored_options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

inline constexpr std::array<char, 8> kStreamMagic{'V', 'I', 'C', 'I', 'N', 'D', 'E', 'X'};
/// The second where rows are not float32: its head says what they are.
inline constexpr std::uint32_t kStreamVersion = 1;
inline constexpr std::uint32_t kStorageStreamVersion = 2;
/// Magic, version, zero.
inline constexpr std::size_t kPrefaceBytes = 16;
/// Kind, number, bytes of payload, checksum.
inline constexpr std::size_t kPieceHeaderBytes = 24;
/// Header included.
inline constexpr std::size_t kLargestPiece = 32 << 20;

/// What a piece holds. In streams: never renumber.
enum class PieceKind : std::uint32_t {
  kHead = 1,   ///< StreamHead; the first piece, once
  kNodes = 2,  ///< NodesPiece
  kLinks = 3,  ///< LinksReader; behind all nodes
  kEnd = 4,    ///< no payload; the last
};

struct StreamHead {
  static constexpr std::size_t kBytes = 48;
  static constexpr std::size_t kStorageBytes = 56;  ///< of version 2

  StoredOptions options;
  /// False: as many nodes as are not worth a graph; no links follow, and no tombstones.
  bool has_links = false;
  graph::EntryPoint entry_point;  ///< by number; kNoNode where it is not among the nodes
  std::uint64_t nodes = 0;
  std::uint64_t live = 0;  ///< of them
};

/// The version of the stream of an index.
inline std::uint32_t stream_version(Storage storage) {
  return storage == Storage::kFloat32 ? kStreamVersion : kStorageStreamVersion;
}

/// Writes the payload of a head; returns its bytes, StreamHead::kStorageBytes at most.
std::size_t put_head(const StreamHead& head, std::byte* payload);
/// Errors: kCorruption for what cannot be, ranges of options aside.
Result<StreamHead> get_head(Bytes payload, std::uint32_t version);

/// The payload of a piece of nodes: how many, then their labels, levels, states and rows, each an
/// array; the rows begin at a multiple of 64 bytes.
struct NodesPiece {
  NodesPiece(std::uint64_t count, const graph::RowShape& row);
  /// Most nodes that fit into `room` bytes of payload.
  static std::uint64_t most(std::size_t room, const graph::RowShape& row);

  std::uint64_t count;
  std::size_t row_bytes;
  static constexpr std::size_t kLabels = sizeof(std::uint64_t);
  std::size_t levels;  ///< where they begin
  std::size_t states;
  std::size_t rows;
  std::size_t bytes;  ///< of the payload
};

/// How many nodes the payload of a piece of nodes has.
/// Errors: kCorruption when its length is not that of so many.
Result<std::uint64_t> nodes_in(Bytes payload, const graph::RowShape& row);

/// Reads the payload of a piece of links: which node is the first and how many follow, then for each
/// how many lists it has, and each list. Ids are numbers of nodes, bounded by nobody here.
class LinksReader {
 public:
  static constexpr std::size_t kStart = 2 * sizeof(std::uint32_t);      ///< before the first node
  static constexpr std::size_t kNodeBytes = sizeof(std::uint32_t);      ///< before its lists
  static constexpr std::size_t kListBytes = 2 * sizeof(std::uint32_t);  ///< before its ids

  /// Errors: kCorruption when there is no first node.
  static Result<LinksReader> of(Bytes payload);
  std::uint32_t first() const { return first_; }
  std::uint32_t count() const { return count_; }
  /// The lists of the next node, level 0 first, into `levels`; returns how many there are. `levels` is
  /// kMaxLevels long. Ids stay in the payload. Call it count() times.
  /// Errors: kCorruption when they do not fit into the payload, or there are more than kMaxLevels.
  Result<std::size_t> next(std::span<graph::LevelLinksView> levels);
  /// Whether all bytes were read.
  bool at_end() const { return at_ == payload_.size(); }

 private:
  explicit LinksReader(Bytes payload) : payload_(payload) {}

  Bytes payload_;
  std::size_t at_ = 0;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
};

/// What stands before the ids of a list.
void put_list(graph::NodeId parent, std::uint32_t children, std::uint32_t count, std::byte* at);

}  // namespace vicinal::persist
