#include "graph/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMaxSegment = std::size_t{32} << 20;

std::byte* map_or_throw(std::size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(pages);
}

}  // namespace

std::byte* map_pages(std::size_t bytes) {
  if (bytes < kHugePage) return map_or_throw(bytes);
  // Over-map by one huge page, then give back both ends, so that the rest starts on a huge page.
  std::byte* pages = map_or_throw(bytes + kHugePage);
  const auto address = reinterpret_cast<std::uintptr_t>(pages);
  const std::size_t head = (kHugePage - address % kHugePage) % kHugePage;
  if (head > 0) ::munmap(pages, head);
  if (kHugePage - head > 0) ::munmap(pages + head + bytes, kHugePage - head);
  pages += head;
  ::madvise(pages, bytes, MADV_HUGEPAGE);  // a wish: without huge pages everything still works
  return pages;
}

void unmap_pages(std::byte* pages, std::size_t bytes) noexcept {
  if (pages != nullptr) ::munmap(pages, bytes);
}

SegmentTable::SegmentTable(std::size_t stride) : stride_(stride) {
  VICINAL_CHECK(stride > 0);
  const std::size_t rows = std::clamp<std::size_t>(kMaxSegment / stride, 1, std::size_t{1} << 20);
  shift_ = static_cast<std::uint32_t>(std::bit_width(rows) - 1);
  mask_ = (std::uint32_t{1} << shift_) - 1;
  segment_bytes_ = (stride << shift_);
  segment_bytes_ = (segment_bytes_ + 4095) / 4096 * 4096;
  directory_bytes_ = ((std::size_t{kMaxNodes} >> shift_) + 1) * sizeof(std::byte*);
  segments_ = reinterpret_cast<std::byte**>(map_or_throw(directory_bytes_));
}

SegmentTable::~SegmentTable() {
  const std::uint64_t segments = (limit_.load() + mask_) >> shift_;
  for (std::uint64_t i = 0; i < segments; ++i) unmap_pages(segments_[i], segment_bytes_);
  unmap_pages(reinterpret_cast<std::byte*>(segments_), directory_bytes_);
}

void SegmentTable::grow(std::uint64_t limit) {
  if (limit <= limit_.load(std::memory_order_acquire)) return;
  VICINAL_CHECK(limit <= kMaxNodes);
  const internal::MutexLock lock(grow_mutex_);
  for (std::uint64_t i = limit_.load() >> shift_; i << shift_ < limit; ++i) {
    if (segments_[i] == nullptr) segments_[i] = map_pages(segment_bytes_);
    limit_.store((i + 1) << shift_, std::memory_order_release);
  }
}

}  // namespace vicinal::graph
