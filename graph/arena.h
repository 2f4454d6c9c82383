// Memory that never moves under who uses it: rows by NodeId, in pieces of the heap while they are
// few (pieces.h), then in segments of pages from the system, huge ones where they are worth one.
//
// What: map_pages(), and SegmentTable/SegmentedArray: arrays by NodeId that grow while readers use
// what is there (G7). A table begins with nothing, and takes its rows over from pieces once.
// Threads: element access from any thread for ids below a grown limit. One grows at a time: whoever
// owns the table sees to that. The first grow() of a table with pieces must have no writer of its
// rows beside it, readers it may: who reads a piece after it sees what was there before.
// Why our own: rows at random from 4 KiB pages cost 1.2 to 1.4 times what they cost from huge
// pages, and growing must neither block nor move what readers hold. A segment is at most 32 MiB, so
// little address space is taken at once; until it is worth a huge page it comes in small ones, so
// that a graph of some hundred nodes takes what it uses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

#include "graph/types.h"
#include "kernels/kernels.h"

namespace vicinal::graph {

/// Zeroed pages, 2 MiB-aligned when `bytes` is at least 2 MiB, offered to huge pages if `huge`, else
/// kept from them. Throws std::bad_alloc when the system has none.
std::byte* map_pages(std::size_t bytes, bool huge);
void unmap_pages(std::byte* pages, std::size_t bytes) noexcept;
/// How many of the bytes of a mapping are in memory.
std::uint64_t resident_bytes(const std::byte* pages, std::size_t bytes);

/// Whether more rows are to come, so that huge pages are worth it from the first one on.
enum class Growth : std::uint8_t { kSegments, kHugeSegments };

/// Of what a table uses, from when on a huge page is worth it: the rest of it is less.
inline constexpr std::size_t kWorthHugePage = std::size_t{1} << 20;

/// Where the rows of a table are: parts of 2^shift rows each. An entry is written once, before any
/// id in it is handed out. A word alone, so that a small index has small tables.
class RowDirectory {
 public:
  /// Copies `count` rows that readers may be looking at; null: memcpy.
  using CopyRows = void (*)(std::byte* to, const std::byte* from, std::size_t count);

  RowDirectory() : present_(const_cast<Parts*>(&kNone.parts)) {}
  ~RowDirectory();
  RowDirectory(const RowDirectory&) = delete;
  RowDirectory& operator=(const RowDirectory&) = delete;

  /// Of at most kMaxNodes rows. Of a table that never grew every row, of 64 bytes at most, is
  /// zeros, for readers only.
  std::byte* row(std::uint32_t id, std::size_t stride) const {
    const Parts& parts = *present_.load(std::memory_order_acquire);
    return parts.entries()[id >> parts.shift] + std::size_t{id & parts.mask} * stride;
  }
  kernels::RowTable row_table(std::size_t stride) const;

  /// Makes rows below `limit` usable in segments; `in_pieces` rows are taken over from there. Throws
  /// std::bad_alloc, leaving what was there.
  void grow(std::uint64_t limit, Growth growth, std::size_t stride, std::uint64_t in_pieces,
            CopyRows copy);
  bool in_segments() const { return present_.load(std::memory_order_acquire)->in_segments; }
  /// Memory that the process has for segments.
  std::uint64_t bytes_held() const;

  // -- For Pieces: while there are no segments.

  struct alignas(std::byte*) Parts {
    std::uint32_t mask;
    std::uint8_t shift;
    bool in_segments;

    /// Which follow.
    std::byte** entries() { return reinterpret_cast<std::byte**>(this + 1); }
    std::byte* const* entries() const { return reinterpret_cast<std::byte* const*>(this + 1); }
  };
  Parts& parts() const { return *present_.load(std::memory_order_relaxed); }
  void show(Parts* parts) { present_.store(parts, std::memory_order_release); }

 private:
  /// Both halves of all ids lead to one row of zeros, in memory that nobody can write to: to write
  /// to a row without grow() ends the process, and damages nothing.
  struct None {
    Parts parts;
    const std::byte* entries[2];
  };
  static const None kNone;
  struct Segments;

  Segments* segments() const;
  static void add_segments(Segments& s, std::uint64_t limit, bool huge);
  static void copy_pieces(const Parts& from, Parts& to, std::uint64_t rows, std::size_t stride,
                          CopyRows copy);

  std::atomic<Parts*> present_;
};

/// A table, for who grows several alike (pieces.h).
struct TableRows {
  RowDirectory* directory;
  std::size_t stride;
};

/// Rows of equal stride by id.
class SegmentTable {
 public:
  explicit SegmentTable(std::size_t stride) : stride_(stride) {}

  /// See RowDirectory::grow().
  void grow(std::uint64_t limit, Growth growth = Growth::kSegments, std::uint64_t in_pieces = 0) {
    directory_.grow(limit, growth, stride_, in_pieces, nullptr);
  }
  std::byte* row(std::uint32_t id) { return directory_.row(id, stride_); }
  const std::byte* row(std::uint32_t id) const { return directory_.row(id, stride_); }
  std::size_t stride() const { return stride_; }
  /// The same rows as the kernels see them; good for what was grown before.
  kernels::RowTable row_table() const { return directory_.row_table(stride_); }
  std::uint64_t bytes_held() const { return directory_.bytes_held(); }
  TableRows table() { return {&directory_, stride_}; }

 private:
  const std::size_t stride_;
  RowDirectory directory_;
};

/// An array of trivially destructible T by NodeId; new elements are zero bytes, and so is what is
/// read of an array that never grew.
template <typename T>
class SegmentedArray {
  static_assert(std::is_trivially_destructible_v<T> && sizeof(T) <= 64);

 public:
  void grow(std::uint64_t limit, Growth growth = Growth::kSegments, std::uint64_t in_pieces = 0) {
    directory_.grow(limit, growth, sizeof(T), in_pieces, Copier<T>::kCopy);
  }
  std::uint64_t bytes_held() const { return directory_.bytes_held(); }
  TableRows table() { return {&directory_, sizeof(T)}; }
  T& operator[](std::uint32_t i) {
    return *std::launder(reinterpret_cast<T*>(directory_.row(i, sizeof(T))));
  }
  const T& operator[](std::uint32_t i) const {
    return *std::launder(reinterpret_cast<const T*>(directory_.row(i, sizeof(T))));
  }
  T& operator[](NodeId id) { return (*this)[raw(id)]; }
  const T& operator[](NodeId id) const { return (*this)[raw(id)]; }

 private:
  // Readers may change what is atomic (a mark, a bit) while it is copied.
  template <typename U>
  struct Copier {
    static constexpr RowDirectory::CopyRows kCopy = nullptr;
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
    static constexpr RowDirectory::CopyRows kCopy = copy;
  };

  RowDirectory directory_;
};

}  // namespace vicinal::graph
