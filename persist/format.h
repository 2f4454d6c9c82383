// Constants and key layouts of the stored format. FORMAT.md is the prose of this file; change both
// together, and never change what a number means.
//
// Ownership: a RecordId shows a key that somebody else keeps.
// Threads: pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "graph/types.h"

namespace vicinal::persist {

// Rows are read in place, so their byte order is the host's; LMDB's own pages are too.
static_assert(std::endian::native == std::endian::little,
              "the stored format is little-endian and rows are read without copying");

using Bytes = std::span<const std::byte>;

/// The value that stands at `at`, aligned or not.
template <typename T>
T value_at(Bytes bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Version of the whole store: which databases there are and how keys are made.
inline constexpr std::uint32_t kStoreFormat = 2;
/// Version of every record so far, but for options that say what rows are made of, where that is not
/// float32. A record that changes gets the next number.
inline constexpr std::uint16_t kRecordVersion = 1;
inline constexpr std::uint16_t kStorageOptionsVersion = 2;

inline constexpr std::uint32_t kNodesPerBlock = 64;     ///< nodes in a record of `nodes`
inline constexpr std::uint32_t kNodesPerLinkGroup = 8;  ///< nodes in a record of `links`
/// Most bytes of rows in a chunk that holds more than one: of a new index, and of any.
inline constexpr std::uint64_t kChunkTarget = 64 << 10;
inline constexpr std::uint64_t kLargestChunk = 256 << 10;
inline constexpr std::uint32_t kMaxDimension = 65536;
inline constexpr std::uint64_t kMaxBatch = 100'000'000;  ///< rows: its entry stays below 2^32 bytes

inline constexpr std::size_t kLongestKey = 511;  ///< LMDB's
/// LMDB's page header on a 64-bit host: the page's number (64 bits), then what is on the page.
inline constexpr std::size_t kLmdbPageHeader = 16;

inline constexpr const char* kDataFile = "data.mdb";
inline constexpr const char* kLmdbLockFile = "lock.mdb";
inline constexpr const char* kWriterLockFile = "vicinal.lock";

/// What a record is. On disk: never renumber.
enum class RecordKind : std::uint8_t {
  kStore = 1,
  kCatalogEntry = 2,
  kOptions = 3,
  kState = 4,
  kVectors = 5,
  kNodes = 6,
  kLinks = 7,
  kJournal = 8,
  kTail = 9,
};

/// Names a record for its checksum: the same bytes under another key, kind or index do not verify.
struct RecordId {
  RecordKind kind;
  std::uint32_t index = 0;  ///< numeric id of the index; 0 for the store's own records
  Bytes key;                ///< without the index's id
};

/// A big-endian key, so that LMDB's byte order is the numbers' order.
template <typename Unsigned>
class NumberKey {
 public:
  explicit NumberKey(Unsigned number) {
    for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
      bytes_[i] = static_cast<std::byte>(number >> (8 * (sizeof(Unsigned) - 1 - i)));
    }
  }
  Bytes bytes() const { return bytes_; }

 private:
  std::array<std::byte, sizeof(Unsigned)> bytes_{};
};
using Key32 = NumberKey<std::uint32_t>;
using Key64 = NumberKey<std::uint64_t>;

/// Reads a key back; false when its size is wrong.
template <typename Unsigned>
bool parse_key(Bytes key, Unsigned* number) {
  if (key.size() != sizeof(Unsigned)) return false;
  Unsigned value = 0;
  for (std::byte b : key) value = static_cast<Unsigned>(value << 8) | static_cast<Unsigned>(b);
  *number = value;
  return true;
}

/// Of the records of a shared database that count the others of their index: behind every other key.
inline constexpr std::array kTailKey = {std::byte{0xFF}};

inline Bytes text_key(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Rows in a chunk: the largest power of two whose rows take at most kChunkTarget bytes, at least
/// 1. Chosen once, stored with the index.
constexpr std::uint32_t rows_per_chunk_for(const graph::RowShape& row) {
  return static_cast<std::uint32_t>(
      std::bit_floor(std::max<std::uint64_t>(kChunkTarget / row.bytes(), 1)));
}

}  // namespace vicinal::persist
