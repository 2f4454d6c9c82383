#include "graph/pieces.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/allocator.h"
#include "engine/base/check.h"

namespace vicinal::graph {
namespace {

// What is more comes in as small steps as it can: at most this is taken for rows that may never come.
constexpr std::size_t kMostAhead = 1024;
constexpr std::size_t kLine = 64;

std::size_t bytes_of_part(std::span<const TableRows> tables, std::uint8_t shift) {
  std::size_t bytes = 0;
  for (const TableRows& table : tables) bytes += table.stride << shift;
  return bytes;
}

constexpr std::size_t directory_bytes(std::uint32_t capacity) {
  return sizeof(RowDirectory::Parts) + capacity * sizeof(std::byte*);
}

constexpr std::size_t alignment_of(bool on_line) {
  return on_line ? kLine : alignof(std::uint64_t);
}

}  // namespace

void Pieces::end() noexcept {
  while (last_ != nullptr) {
    Block* const block = std::exchange(last_, last_->before);
    internal::hook_deallocate(reinterpret_cast<std::byte*>(block) - block->row_bytes, block->bytes,
                              alignment_of(block->on_line != 0));
  }
  parts_ = 0;
  capacity_ = 0;
}

void Pieces::grow(std::uint64_t limit, std::span<const TableRows> tables) {
  bool all_in_segments = true;
  for (const TableRows& table : tables) {
    if (table.directory->in_segments()) {
      table.directory->grow(limit, Growth::kSegments, table.stride, 0, nullptr);
    } else {
      all_in_segments = false;
    }
  }
  if (all_in_segments) return;
  const std::uint64_t wanted = (limit + (std::uint64_t{1} << shift_) - 1) >> shift_;
  if (wanted <= parts_) return;
  const std::size_t part_bytes = bytes_of_part(tables, shift_);
  VICINAL_CHECK(part_bytes > 0);
  const std::size_t ahead = kMostAhead / part_bytes;
  const std::uint64_t more = std::min<std::uint64_t>(parts_, ahead);
  add(static_cast<std::uint32_t>(std::max(wanted - parts_, more)), tables);
}

void Pieces::add(std::uint32_t parts, std::span<const TableRows> tables) {
  const bool renew = parts_ + parts > capacity_;
  const std::uint32_t capacity = renew ? std::max(2 * capacity_, parts_ + parts) : capacity_;
  const std::size_t row_bytes = (parts * bytes_of_part(tables, shift_) + alignof(Block) - 1) /
                                alignof(Block) * alignof(Block);
  const std::size_t bytes =
      row_bytes + sizeof(Block) + (renew ? tables.size() * directory_bytes(capacity) : 0);
  const bool alone = parts_ == 0 && parts == 1 && lines_ == Lines::kButTheFirst;
  const bool on_line = lines_ != Lines::kNever && !alone;
  auto* rows = static_cast<std::byte*>(internal::hook_allocate(bytes, alignment_of(on_line)));
  std::memset(rows, 0, bytes);
  last_ = new (rows + row_bytes) Block{last_, static_cast<std::uint32_t>(row_bytes),
                                       static_cast<std::uint32_t>(bytes), on_line};
  auto* directory = reinterpret_cast<std::byte*>(last_ + 1);
  for (const TableRows& table : tables) {
    RowDirectory::Parts* to = table.directory->in_segments() ? nullptr : &table.directory->parts();
    if (renew) {
      auto* const fresh =
          new (directory) RowDirectory::Parts{(std::uint32_t{1} << shift_) - 1, shift_, false};
      if (to != nullptr) {
        std::copy_n(to->entries(), parts_, fresh->entries());
        to = fresh;
      }
      directory += directory_bytes(capacity);
    }
    for (std::uint32_t i = 0; to != nullptr && i < parts; ++i) {
      to->entries()[parts_ + i] = rows + (i * table.stride << shift_);
    }
    if (to != nullptr) table.directory->show(to);  // those of before stay for who reads them
    rows += parts * table.stride << shift_;
  }
  parts_ += parts;
  capacity_ = capacity;
}

std::uint64_t Pieces::bytes() const {
  std::uint64_t bytes = 0;
  for (const Block* block = last_; block != nullptr; block = block->before) bytes += block->bytes;
  return bytes;
}

}  // namespace vicinal::graph
