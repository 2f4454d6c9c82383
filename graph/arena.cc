#include "graph/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <vector>

#include "engine/base/allocator.h"
#include "engine/base/check.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMaxSegment = std::size_t{32} << 20;
// A piece: small enough that an index of one vector stays small, large enough that the allocator's
// own bytes do not count.
constexpr std::size_t kPieceBytes = 64;
constexpr std::size_t kRowAlignment = 64;  // of rows for the kernels
constexpr std::uint64_t kFirstEntries = 2;

std::byte* map_or_throw(std::size_t bytes) {
  void* pages = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(pages);
}

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

// Rows of a power of two that take at most `bytes`, one at least.
std::uint32_t shift_for(std::size_t bytes, std::size_t stride, std::size_t most_rows) {
  const std::size_t rows = std::clamp<std::size_t>(bytes / stride, 1, most_rows);
  return static_cast<std::uint32_t>(std::bit_width(rows) - 1);
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

/// What grow_in_pieces() has allocated: the pieces, and every directory that readers may have.
class SegmentTable::Pieces {
 public:
  explicit Pieces(std::size_t stride)
      : stride_(stride),
        shift_(shift_for(std::max(kPieceBytes, stride), stride, kPieceBytes)),
        alignment_(stride >= kRowAlignment ? kRowAlignment : alignof(std::max_align_t)) {}
  ~Pieces() {
    for (std::byte* const piece : pieces_) {
      internal::hook_deallocate(piece, piece_bytes(), alignment_);
    }
    for (Directory* const d : directories_) {
      internal::hook_deallocate(d, d->bytes, alignof(Directory));
    }
  }
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  std::uint64_t limit() const { return std::uint64_t{pieces_.size()} << shift_; }
  std::span<std::byte* const> parts() const { return pieces_; }
  std::size_t rows_per_piece() const { return std::size_t{1} << shift_; }

  /// One more; returns the directory that has it.
  Directory* add() {
    if (capacity_ == pieces_.size()) add_directory();
    auto* const piece = static_cast<std::byte*>(internal::hook_allocate(piece_bytes(), alignment_));
    std::memset(piece, 0, piece_bytes());
    directories_.back()->parts()[pieces_.size()] = piece;
    pieces_.push_back(piece);
    return directories_.back();
  }

  std::uint64_t bytes() const {
    std::uint64_t bytes = sizeof(*this) + pieces_.size() * piece_bytes() +
                          (pieces_.capacity() + directories_.capacity()) * sizeof(void*);
    for (const Directory* const d : directories_) bytes += d->bytes;
    return bytes;
  }

 private:
  std::size_t piece_bytes() const { return stride_ << shift_; }

  // Twice as many entries; those of before are copied, and stay for who reads them.
  void add_directory() {
    const std::size_t capacity = std::max<std::size_t>(2 * capacity_, kFirstEntries);
    pieces_.reserve(capacity);
    directories_.reserve(directories_.size() + 1);
    const std::size_t bytes = sizeof(Directory) + capacity * sizeof(std::byte*);
    auto* const d = new (internal::hook_allocate(bytes, alignof(Directory)))
        Directory{shift_, (std::uint32_t{1} << shift_) - 1, bytes};
    std::copy(pieces_.begin(), pieces_.end(), d->parts());
    directories_.push_back(d);
    capacity_ = capacity;
  }

  const std::size_t stride_;
  const std::uint32_t shift_;
  const std::size_t alignment_;
  std::vector<std::byte*> pieces_;
  std::vector<Directory*> directories_;
  std::size_t capacity_ = 0;  ///< of the newest
};

void SegmentTable::EndPieces::operator()(Pieces* pieces) const noexcept { delete pieces; }

SegmentTable::SegmentTable(std::size_t stride, CopyRows copy) : stride_(stride), copy_(copy) {
  VICINAL_CHECK(stride > 0);
}

SegmentTable::~SegmentTable() {
  if (limit_.load() == 0) return;
  Directory* const d = directory_.load();
  const std::uint64_t segments = limit_.load() >> d->shift;
  for (std::uint64_t i = 0; i < segments; ++i) unmap_pages(d->parts()[i], segment_bytes(*d));
  unmap_pages(reinterpret_cast<std::byte*>(d), d->bytes);
}

std::size_t SegmentTable::segment_bytes(const Directory& d) const {
  const std::size_t page = page_size();
  return ((stride_ << d.shift) + page - 1) / page * page;
}

void SegmentTable::grow_in_pieces(std::uint64_t limit) {
  const internal::MutexLock lock(grow_mutex_);
  if (limit_.load() > 0) {  // memory ran out after this table had its segments
    add_segments(*directory_.load(), limit, limit * stride_ >= kWorthHugePage);
    return;
  }
  if (limit > 0 && pieces_ == nullptr) pieces_.reset(new Pieces(stride_));
  while (pieces_ != nullptr && pieces_->limit() < limit) {
    directory_.store(pieces_->add(), std::memory_order_release);
  }
}

SegmentTable::Directory* SegmentTable::make_segment_directory() const {
  constexpr std::size_t kMostRows = std::size_t{1} << 20;
  const std::uint32_t shift = shift_for(kMaxSegment, stride_, kMostRows);
  const std::size_t entries = (std::size_t{kMaxNodes} >> shift) + 1;
  const std::size_t bytes = sizeof(Directory) + entries * sizeof(std::byte*);
  return new (map_or_throw(bytes)) Directory{shift, (std::uint32_t{1} << shift) - 1, bytes};
}

void SegmentTable::copy_pieces(Directory& to) {
  const std::size_t rows = pieces_->rows_per_piece();
  std::uint32_t id = 0;
  for (const std::byte* const piece : pieces_->parts()) {
    std::byte* const target = at(to, id);  // no piece lies in two segments: powers of two
    if (copy_ != nullptr) {
      copy_(target, piece, rows);
    } else {
      std::memcpy(target, piece, rows * stride_);
    }
    id += static_cast<std::uint32_t>(rows);
  }
}

void SegmentTable::add_segments(Directory& d, std::uint64_t limit, bool huge) {
  const std::uint64_t have = limit_.load();
  if (have > 0 && huge && !first_is_huge_.load(std::memory_order_relaxed)) {
    ::madvise(d.parts()[0], segment_bytes(d), MADV_HUGEPAGE);
    first_is_huge_.store(true, std::memory_order_relaxed);
  }
  for (std::uint64_t i = have >> d.shift; i << d.shift < limit; ++i) {
    if (d.parts()[i] == nullptr) d.parts()[i] = map_pages(segment_bytes(d), huge);
    if (i == 0) first_is_huge_.store(huge, std::memory_order_relaxed);
    if (directory_.load() == &d) limit_.store((i + 1) << d.shift, std::memory_order_release);
  }
}

void SegmentTable::grow(std::uint64_t limit, Growth growth) {
  if (growth == Growth::kPieces) {
    grow_in_pieces(limit);
  } else {
    grow_in_segments(limit, growth == Growth::kHugeSegments || limit * stride_ >= kWorthHugePage);
  }
}

void SegmentTable::grow_in_segments(std::uint64_t limit, bool huge) {
  if (limit <= limit_.load(std::memory_order_acquire) &&
      (!huge || first_is_huge_.load(std::memory_order_relaxed))) {
    return;
  }
  VICINAL_CHECK(limit <= kMaxNodes);
  const internal::MutexLock lock(grow_mutex_);
  if (limit_.load() > 0) {
    add_segments(*directory_.load(), limit, huge);
    return;
  }
  Directory* const d = make_segment_directory();
  const std::uint64_t in_pieces = pieces_ == nullptr ? 0 : pieces_->limit();
  const std::uint64_t rows = std::max({limit, in_pieces, std::uint64_t{1}});
  try {
    add_segments(*d, rows, huge);
  } catch (...) {
    for (std::uint64_t i = 0; d->parts()[i] != nullptr; ++i) {
      unmap_pages(d->parts()[i], segment_bytes(*d));
    }
    unmap_pages(reinterpret_cast<std::byte*>(d), d->bytes);
    throw;
  }
  if (pieces_ != nullptr) copy_pieces(*d);
  directory_.store(d, std::memory_order_release);
  limit_.store(((rows + d->mask) >> d->shift) << d->shift, std::memory_order_release);
}

SegmentTable::OwnedPieces SegmentTable::take_left_pieces() {
  const internal::MutexLock lock(grow_mutex_);
  if (limit_.load() == 0) return nullptr;
  return std::move(pieces_);
}

std::uint64_t SegmentTable::bytes_held() const {
  const internal::MutexLock lock(grow_mutex_);
  std::uint64_t bytes = pieces_ == nullptr ? 0 : pieces_->bytes();
  if (limit_.load() == 0) return bytes;
  Directory* const d = directory_.load();
  bytes += resident_bytes(reinterpret_cast<const std::byte*>(d), d->bytes);
  for (std::uint64_t i = 0; i < limit_.load() >> d->shift; ++i) {
    bytes += resident_bytes(d->parts()[i], segment_bytes(*d));
  }
  return bytes;
}

}  // namespace vicinal::graph
