// Memory that never moves under who uses it: rows by NodeId, in pieces of the heap while they are
// few, then in segments of pages from the system, huge ones where they are worth one.
//
// What: map_pages(), and SegmentTable/SegmentedArray: arrays by NodeId that grow while readers use
// what is there (G7). A table begins with nothing. A flat graph (flat.h) has pieces of it: a few
// rows each, from the allocator hook. grow() then copies all rows to segments,
// once.
// Threads: element access from any thread for ids below a grown limit. Growing serializes itself;
// the first grow() of a table with pieces must have no writer of its rows beside it, readers it
// may: who reads a piece after it sees what was there before.
// Why our own: rows at random from 4 KiB pages cost 1.2 to 1.4 times what they cost from huge
// pages, and growing must neither block nor move what readers hold. A segment is at most 32 MiB, so
// little address space is taken at once; until it is worth a huge page it comes in small ones, so
// that a graph of some hundred nodes takes what it uses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "engine/base/mutex.h"
#include "graph/types.h"
#include "kernels/kernels.h"

namespace vicinal::graph {

/// Zeroed pages, 2 MiB-aligned when `bytes` is at least 2 MiB, offered to huge pages if `huge`, else
/// kept from them. Throws std::bad_alloc when the system has none.
std::byte* map_pages(std::size_t bytes, bool huge);
void unmap_pages(std::byte* pages, std::size_t bytes) noexcept;
/// How many of the bytes of a mapping are in memory.
std::uint64_t resident_bytes(const std::byte* pages, std::size_t bytes);

/// Where new rows go: in a flat graph (flat.h) to pieces. kHugeSegments: more are to come, so that
/// huge pages are worth it from the first row on.
enum class Growth : std::uint8_t { kSegments, kPieces, kHugeSegments };

/// Of what a table uses, from when on a huge page is worth it: the rest of it is less.
inline constexpr std::size_t kWorthHugePage = std::size_t{1} << 20;

/// Rows of equal stride by id.
class SegmentTable {
 public:
  /// Copies `count` rows that readers may be looking at; null: memcpy.
  using CopyRows = void (*)(std::byte* to, const std::byte* from, std::size_t count);

  /// `stride` bytes a row; at most kMaxNodes rows. Allocates nothing.
  explicit SegmentTable(std::size_t stride, CopyRows copy = nullptr);
  ~SegmentTable();
  SegmentTable(const SegmentTable&) = delete;
  SegmentTable& operator=(const SegmentTable&) = delete;

  /// Makes rows below `limit` usable; once there are segments, in segments. Throws std::bad_alloc,
  /// leaving what was there.
  void grow(std::uint64_t limit, Growth growth = Growth::kSegments);

  std::byte* row(std::uint32_t id) { return at(*directory_.load(std::memory_order_acquire), id); }
  const std::byte* row(std::uint32_t id) const {
    return at(*directory_.load(std::memory_order_acquire), id);
  }
  std::size_t stride() const { return stride_; }
  /// The same rows as the kernels see them; good for what was grown before.
  kernels::RowTable row_table() const {
    Directory* const d = directory_.load(std::memory_order_acquire);
    if (d == nullptr) return {nullptr, 0, 0, stride_};
    return {d->parts(), d->shift, d->mask, stride_};
  }

  /// What grow() left behind when it took the rows from pieces: whoever holds a row of one may go on
  /// until this ends. Null while there are no segments, and when it was taken.
  class Pieces;
  struct EndPieces {
    void operator()(Pieces* pieces) const noexcept;
  };
  using OwnedPieces = std::unique_ptr<Pieces, EndPieces>;
  OwnedPieces take_left_pieces();

  /// Memory that the process has for it.
  std::uint64_t bytes_held() const;

 private:
  /// Where the rows are: parts of 2^shift rows each. An entry is written once, before any id in it
  /// is handed out.
  struct Directory {
    std::uint32_t shift;
    std::uint32_t mask;
    std::uint64_t bytes;  ///< of the directory itself

    /// The entries, which follow.
    std::byte** parts() { return reinterpret_cast<std::byte**>(this + 1); }
  };

  std::byte* at(Directory& d, std::uint32_t id) const {
    return d.parts()[id >> d.shift] + static_cast<std::size_t>(id & d.mask) * stride_;
  }
  void grow_in_segments(std::uint64_t limit, bool huge);
  void grow_in_pieces(std::uint64_t limit);
  Directory* make_segment_directory() const;
  void add_segments(Directory& d, std::uint64_t limit, bool huge) VICINAL_REQUIRES(grow_mutex_);
  void copy_pieces(Directory& to) VICINAL_REQUIRES(grow_mutex_);
  std::size_t segment_bytes(const Directory& d) const;

  const std::size_t stride_;
  const CopyRows copy_;
  std::atomic<Directory*> directory_{nullptr};
  std::atomic<std::uint64_t> limit_{0};  ///< of rows in segments; 0 while there are none

  mutable internal::Mutex grow_mutex_;
  /// While there are no segments: what the directory's entries lead to. Afterwards: what is left.
  OwnedPieces pieces_ VICINAL_GUARDED_BY(grow_mutex_);
  std::atomic<bool> first_is_huge_{false};  ///< of the segments
};

/// An array of trivially destructible T by NodeId; new elements are zero bytes.
template <typename T>
class SegmentedArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  SegmentedArray() : table_(sizeof(T), Copier<T>::copy) {}

  void grow(std::uint64_t limit, Growth growth = Growth::kSegments) { table_.grow(limit, growth); }
  std::uint64_t bytes_held() const { return table_.bytes_held(); }
  T& operator[](std::uint32_t i) { return *std::launder(reinterpret_cast<T*>(table_.row(i))); }
  const T& operator[](std::uint32_t i) const {
    return *std::launder(reinterpret_cast<const T*>(table_.row(i)));
  }
  T& operator[](NodeId id) { return (*this)[raw(id)]; }
  const T& operator[](NodeId id) const { return (*this)[raw(id)]; }

 private:
  // Readers may change what is atomic (a mark, a bit) while it is copied.
  template <typename U>
  struct Copier {
    static constexpr SegmentTable::CopyRows copy = nullptr;
  };
  template <typename U>
  struct Copier<std::atomic<U>> {
    static void copy(std::byte* to, const std::byte* from, std::size_t count) {
      auto* const target = reinterpret_cast<std::atomic<U>*>(to);
      const auto* const source = reinterpret_cast<const std::atomic<U>*>(from);
      for (std::size_t i = 0; i < count; ++i) {
        target[i].store(source[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
      }
    }
  };

  SegmentTable table_;
};

}  // namespace vicinal::graph
