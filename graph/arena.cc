#include "graph/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "engine/base/check.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMaxSegment = std::size_t{32} << 20;
alignas(64) constexpr std::byte kZeros[64] = {};

std::byte* map_or_throw(std::size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(pages);
}

std::size_t page_size() { return static_cast<std::size_t>(::getpagesize()); }

// Rows of a segment: a power of two.
std::uint8_t segment_shift(std::size_t stride) {
  constexpr std::size_t kMostRows = std::size_t{1} << 20;
  const std::size_t rows = std::clamp<std::size_t>(kMaxSegment / stride, 1, kMostRows);
  return static_cast<std::uint8_t>(std::bit_width(rows) - 1);
}

}  // namespace

std::byte* map_pages(std::size_t bytes, bool huge) {
  if (bytes < kHugePage) return map_or_throw(bytes);
  // Over-map by one huge page, then give back both ends, so that the rest starts on a huge page.
  std::byte* pages = map_or_throw(bytes + kHugePage);
  const auto address = reinterpret_cast<std::uintptr_t>(pages);
  const std::size_t head = (kHugePage - address % kHugePage) % kHugePage;
  if (head > 0) ::munmap(pages, head);
  if (kHugePage - head > 0) ::munmap(pages + head + bytes, kHugePage - head);
  pages += head;
  // A wish: whatever the system answers everything works.
  ::madvise(pages, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  return pages;
}

void unmap_pages(std::byte* pages, std::size_t bytes) noexcept {
  if (pages != nullptr) ::munmap(pages, bytes);
}

std::uint64_t resident_bytes(const std::byte* pages, std::size_t bytes) {
  std::array<unsigned char, 4096> in_memory;
  const std::size_t page = page_size();
  std::uint64_t resident = 0;
  for (std::size_t at = 0; at < bytes; at += in_memory.size() * page) {
    const std::size_t length = std::min(bytes - at, in_memory.size() * page);
    const std::size_t count = (length + page - 1) / page;
    if (::mincore(const_cast<std::byte*>(pages) + at, length, in_memory.data()) != 0) return bytes;
    resident += static_cast<std::uint64_t>(
        std::count_if(in_memory.begin(), in_memory.begin() + static_cast<std::ptrdiff_t>(count),
                      [](unsigned char flags) { return (flags & 1) != 0; }));
  }
  return resident * page;
}

// Two entries: ids have 32 bits.
constinit const RowDirectory::None RowDirectory::kNone = {{0, 31, false}, {kZeros, kZeros}};

/// A directory of segments, with what is known of them; made once for a table, for as long as it
/// lives.
struct RowDirectory::Segments {
  std::size_t directory_bytes;
  std::size_t segment_bytes;
  std::atomic<std::uint64_t> limit;  ///< of rows
  bool first_is_huge;
  Parts parts;  ///< the last member

  static Segments* make(std::size_t stride) {
    const std::size_t page = page_size();
    const std::uint8_t shift = segment_shift(stride);
    const std::size_t entries = (std::size_t{kMaxNodes} >> shift) + 1;
    const std::size_t bytes = sizeof(Segments) + entries * sizeof(std::byte*);
    const std::size_t segment = ((stride << shift) + page - 1) / page * page;
    return new (map_or_throw(bytes))
        Segments{bytes, segment, 0, false, {(std::uint32_t{1} << shift) - 1, shift, true}};
  }
  void end() noexcept {
    const std::uint64_t entries = (std::uint64_t{kMaxNodes} >> parts.shift) + 1;
    for (std::uint64_t i = 0; i < entries && parts.entries()[i] != nullptr; ++i) {
      unmap_pages(parts.entries()[i], segment_bytes);
    }
    unmap_pages(reinterpret_cast<std::byte*>(this), directory_bytes);
  }
};

RowDirectory::Segments* RowDirectory::segments() const {
  Parts* const parts = present_.load(std::memory_order_acquire);
  if (!parts->in_segments) return nullptr;
  return reinterpret_cast<Segments*>(reinterpret_cast<std::byte*>(parts) -
                                     offsetof(Segments, parts));
}

RowDirectory::~RowDirectory() {
  if (Segments* const s = segments()) s->end();
}

kernels::RowTable RowDirectory::row_table(std::size_t stride) const {
  const Parts* const parts = present_.load(std::memory_order_acquire);
  if (parts == &kNone.parts) return {nullptr, 0, 0, stride};
  return {parts->entries(), parts->shift, parts->mask, stride};
}

void RowDirectory::add_segments(Segments& s, std::uint64_t limit, bool huge) {
  const std::uint64_t have = s.limit.load(std::memory_order_relaxed);
  std::byte** const entries = s.parts.entries();
  if (have > 0 && huge && !s.first_is_huge) {
    ::madvise(entries[0], s.segment_bytes, MADV_HUGEPAGE);
    s.first_is_huge = true;
  }
  for (std::uint64_t i = have >> s.parts.shift; i << s.parts.shift < limit; ++i) {
    entries[i] = map_pages(s.segment_bytes, huge);
    if (i == 0) s.first_is_huge = huge;
    s.limit.store((i + 1) << s.parts.shift, std::memory_order_release);
  }
}

void RowDirectory::copy_pieces(const Parts& from, Parts& to, std::uint64_t rows, std::size_t stride,
                               CopyRows copy) {
  const std::uint64_t piece = std::uint64_t{from.mask} + 1;
  for (std::uint64_t id = 0; id < rows; id += piece) {
    // No piece lies in two segments: powers of two.
    std::byte* const target = to.entries()[id >> to.shift] + (id & to.mask) * stride;
    const std::byte* const source = from.entries()[id >> from.shift];
    if (copy != nullptr) {
      copy(target, source, piece);
    } else {
      std::memcpy(target, source, piece * stride);
    }
  }
}

void RowDirectory::grow(std::uint64_t limit, Growth growth, std::size_t stride,
                        std::uint64_t in_pieces, CopyRows copy) {
  VICINAL_CHECK(limit <= kMaxNodes);
  const bool huge = growth == Growth::kHugeSegments || limit * stride >= kWorthHugePage;
  if (Segments* const s = segments()) {
    add_segments(*s, limit, huge);
    return;
  }
  const auto end = [](Segments* s) { s->end(); };
  std::unique_ptr<Segments, decltype(end)> fresh(Segments::make(stride), end);
  add_segments(*fresh, std::max({limit, in_pieces, std::uint64_t{1}}), huge);
  if (in_pieces > 0) copy_pieces(parts(), fresh->parts, in_pieces, stride, copy);
  show(&fresh.release()->parts);
}

std::uint64_t RowDirectory::bytes_held() const {
  Segments* const s = segments();
  if (s == nullptr) return 0;
  std::uint64_t bytes = resident_bytes(reinterpret_cast<const std::byte*>(s), s->directory_bytes);
  const std::uint64_t count = s->limit.load(std::memory_order_acquire) >> s->parts.shift;
  for (std::uint64_t i = 0; i < count; ++i) {
    bytes += resident_bytes(s->parts.entries()[i], s->segment_bytes);
  }
  return bytes;
}

}  // namespace vicinal::graph
