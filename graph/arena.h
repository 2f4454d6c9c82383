// Memory that never moves: zeroed pages from the system, huge ones where offered, cut into
// segments.
//
// What: map_pages(), and SegmentTable/SegmentedArray: arrays by NodeId that grow by whole segments
// while readers use the segments that are there (G7).
// Threads: element access from any thread for ids below a grown limit; grow() serializes itself.
// Why our own: rows at random from 4 KiB pages cost 1.2 to 1.4 times what they cost from huge
// pages, and growing must neither block nor move what readers hold. A segment is at most 32 MiB, so
// little address space is taken at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

#include "engine/base/mutex.h"
#include "graph/types.h"
#include "kernels/kernels.h"

namespace vicinal::graph {

/// Zeroed pages, 2 MiB-aligned and offered to huge pages when `bytes` is at least 2 MiB. Throws
/// std::bad_alloc when the system has none.
std::byte* map_pages(std::size_t bytes);
void unmap_pages(std::byte* pages, std::size_t bytes) noexcept;

/// Rows of equal stride by id, in segments.
class SegmentTable {
 public:
  /// `stride` bytes a row; at most kMaxNodes rows.
  explicit SegmentTable(std::size_t stride);
  ~SegmentTable();
  SegmentTable(const SegmentTable&) = delete;
  SegmentTable& operator=(const SegmentTable&) = delete;

  /// Makes rows below `limit` usable. Throws std::bad_alloc, leaving what was there.
  void grow(std::uint64_t limit);

  std::byte* row(std::uint32_t id) {
    return segments_[id >> shift_] + static_cast<std::size_t>(id & mask_) * stride_;
  }
  const std::byte* row(std::uint32_t id) const {
    return segments_[id >> shift_] + static_cast<std::size_t>(id & mask_) * stride_;
  }
  std::size_t stride() const { return stride_; }
  /// The same rows as the kernels see them.
  kernels::RowTable row_table() const { return {segments_, shift_, mask_, stride_}; }

 private:
  const std::size_t stride_;
  std::uint32_t shift_ = 0;
  std::uint32_t mask_ = 0;
  std::size_t segment_bytes_ = 0;
  std::size_t directory_bytes_ = 0;
  std::byte** segments_ = nullptr;  ///< an entry is written once, before any id in it is handed out

  internal::Mutex grow_mutex_;
  std::atomic<std::uint64_t> limit_{0};
};

/// An array of trivially destructible T by NodeId; new elements are zero bytes.
template <typename T>
class SegmentedArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  SegmentedArray() : table_(sizeof(T)) {}

  void grow(std::uint64_t limit) { table_.grow(limit); }
  T& operator[](std::uint32_t i) { return *std::launder(reinterpret_cast<T*>(table_.row(i))); }
  const T& operator[](std::uint32_t i) const {
    return *std::launder(reinterpret_cast<const T*>(table_.row(i)));
  }
  T& operator[](NodeId id) { return (*this)[raw(id)]; }
  const T& operator[](NodeId id) const { return (*this)[raw(id)]; }

 private:
  SegmentTable table_;
};

}  // namespace vicinal::graph
