// Pieces: rows of a few tables in the heap, while a flat graph (flat.h) has few of them.
//
// What: tables that grow together have their rows, some of each, and the directories that lead to
// them (arena.h) in one block of the allocator hook; the next block comes when these are used up, and
// is as large as all before it, but for what is large anyway.
// Ownership: owns the blocks, and ends after its tables. Before end() each of them is in segments, and
// whoever reads in pieces has left.
// Threads: one grows at a time, readers may be there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graph/arena.h"

namespace vicinal::graph {

class Pieces {
 public:
  /// Where rows begin on lines of 64 bytes, which they are multiples of then. kButTheFirst: but for one
  /// row that comes alone, so that an index of one vector pays nothing for that.
  enum class Lines : std::uint8_t { kNever, kButTheFirst, kAlways };

  /// Rows of a table come 2^shift at a time.
  Pieces(std::uint8_t shift, Lines lines) : shift_(shift), lines_(lines) {}
  ~Pieces() { end(); }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  /// Makes rows below `limit` usable, new ones being zeros; of a table that is in segments already,
  /// there. The same tables in the same order each time: those of the largest elements first. Throws
  /// std::bad_alloc, leaving what was there.
  void grow(std::uint64_t limit, std::span<const TableRows> tables);
  /// How many a table has.
  std::uint64_t rows() const { return std::uint64_t{parts_} << shift_; }
  std::uint64_t bytes() const;
  /// Gives all back.
  void end() noexcept;

 private:
  /// Behind its rows, before its directories.
  struct Block {
    Block* before;
    std::uint32_t row_bytes;
    std::uint32_t bytes : 31;  ///< in all
    std::uint32_t on_line : 1;
  };

  void add(std::uint32_t parts, std::span<const TableRows> tables);

  const std::uint8_t shift_;
  const Lines lines_;
  std::uint32_t parts_ = 0;
  std::uint32_t capacity_ = 0;  ///< of the newest directories
  Block* last_ = nullptr;
};

}  // namespace vicinal::graph
