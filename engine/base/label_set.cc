// How a LabelSet stores its labels.
//
// A chunk is the labels that share their upper 48 bits: Roaring's unit, of which a bitmap here
// holds one. Crowded chunks are Roaring bitmaps; the labels of all others stand in one sorted
// array.
//
// Measured with a million queries in random order: bits and few ranges answer in 8 to 14 ns, the
// sorted array in 13 to 20 (36 to 45 with a million hashes). What crowded() and kMostRangeBytes
// keep out took longer, because each step of a binary search is guessed wrong half the time:
// Roaring's arrays 50 to 77 for their 2 to 4 bytes a label, ranges 35 (13 in a chunk) to 67
// (1,600). With one bitmap for all labels that share their upper 32 bits, as in Roaring's 64-bit
// set, the search for the chunk made it 22 ns in place of 9 at a million labels in a row.
//
// Invariants:
//   L1  A chunk is a bitmap if and only if crowded() says so, whatever operations made it, so that
//       equal sets are stored alike, and contains() looks for a label in one place.
//   L2  Bitmaps and array are never changed once a LabelSet has them, and no bitmap is
//       copy-on-write: nothing that readers do writes.
#include "vicinal/label_set.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <new>

#include "engine/base/allocator.h"
#include "engine/base/bitmap.h"
#include "engine/base/sorted_keys.h"

namespace vicinal::engine {

namespace {

// Up to here Roaring would make an array of a chunk, beyond it bits (8 KiB).
constexpr std::size_t kMostInArray = 4096;
// Fewer labels are ranges, too, when they are a few long ones: a bitmap costs as much as 16 labels
// of the array before it holds any.
constexpr std::size_t kMostRanges = 4;
constexpr std::size_t kLabelsPerRange = 32;
// Roaring's size of a bitmap of kMostRanges is 27 bytes, of one more 31.
constexpr std::size_t kMostRangeBytes = 27;
constexpr std::uint64_t kBytesPerBitmap = 140;

std::size_t ranges_in(std::span<const Label> chunk) {
  std::size_t ranges = 0;
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    ranges += i == 0 || chunk[i] != chunk[i - 1] + 1 ? 1 : 0;
  }
  return ranges;
}
bool crowded(std::span<const Label> chunk) {
  if (chunk.size() > kMostInArray) return true;
  const std::size_t ranges = ranges_in(chunk);
  return ranges <= kMostRanges && chunk.size() >= kLabelsPerRange * ranges;
}

// One chunk, wherever it is stored: one of the two is set.
struct Chunk {
  std::uint64_t high = 0;
  const roaring_bitmap_t* bitmap = nullptr;
  std::span<const Label> labels;  // ascending
};

// The first chunk of `labels`, which are ascending.
std::span<const Label> first_chunk(std::span<const Label> labels) {
  std::size_t count = 0;
  while (count < labels.size() && high_part(labels[count]) == high_part(labels[0])) ++count;
  return labels.first(count);
}

}  // namespace

class StoredLabels {
 public:
  bool contains(Label label) const noexcept {
    const std::size_t at = highs_.find(high_part(label));
    if (at != highs_.kAbsent) return roaring_bitmap_contains(bitmaps_[at].get(), low_part(label));
    return scattered_.find(label) != scattered_.kAbsent;
  }
  std::uint64_t count() const noexcept { return count_; }
  bool equals(const StoredLabels& other) const noexcept;
  std::uint64_t bytes() const noexcept;

  class Builder;
  class Chunks;

 private:
  SortedKeys<std::uint64_t> highs_;
  internal::Vector<Bitmap> bitmaps_;  // bitmaps_[i] has the lower bits of highs_.keys()[i]'s chunk
  SortedKeys<Label> scattered_;
  std::uint64_t count_ = 0;
};

bool StoredLabels::equals(const StoredLabels& other) const noexcept {
  return count_ == other.count_ && std::ranges::equal(highs_.keys(), other.highs_.keys()) &&
         std::ranges::equal(scattered_.keys(), other.scattered_.keys()) &&
         std::ranges::equal(bitmaps_, other.bitmaps_, [](const Bitmap& a, const Bitmap& b) {
           return roaring_bitmap_equals(a.get(), b.get());
         });
}

std::uint64_t StoredLabels::bytes() const noexcept {
  std::uint64_t total =
      sizeof(*this) + highs_.bytes() + scattered_.bytes() + bitmaps_.capacity() * sizeof(Bitmap);
  for (const Bitmap& bitmap : bitmaps_) {
    total += kBytesPerBitmap + roaring_bitmap_portable_size_in_bytes(bitmap.get());
  }
  return total;
}

// The chunks of a set, ascending.
class StoredLabels::Chunks {
 public:
  explicit Chunks(const StoredLabels& labels)
      : labels_(labels), scattered_(labels.scattered_.keys()) {
    settle();
  }

  bool done() const { return done_; }
  const Chunk& operator*() const { return chunk_; }
  const Chunk* operator->() const { return &chunk_; }
  void operator++() {
    if (chunk_.bitmap != nullptr) {
      ++next_bitmap_;
    } else {
      scattered_ = scattered_.subspan(chunk_.labels.size());
    }
    settle();
  }

 private:
  void settle() {
    const std::span<const std::uint64_t> highs = labels_.highs_.keys();
    const bool has_bitmap = next_bitmap_ < highs.size();
    done_ = !has_bitmap && scattered_.empty();
    if (done_) return;
    // L1: a chunk is never on both sides.
    if (has_bitmap && (scattered_.empty() || highs[next_bitmap_] < high_part(scattered_[0]))) {
      chunk_ = {highs[next_bitmap_], labels_.bitmaps_[next_bitmap_].get(), {}};
    } else {
      chunk_ = {high_part(scattered_[0]), nullptr, first_chunk(scattered_)};
    }
  }

  const StoredLabels& labels_;
  std::size_t next_bitmap_ = 0;
  std::span<const Label> scattered_;  // not passed yet
  Chunk chunk_;
  bool done_ = false;
};

// Takes chunks in ascending order, each whole, and stores each as L1 says.
class StoredLabels::Builder {
 public:
  void add(std::span<const Label> chunk) {
    if (chunk.empty()) return;
    if (crowded(chunk)) {
      store(high_part(chunk[0]), bitmap_of(chunk), chunk.size());
      return;
    }
    scattered_.insert(scattered_.end(), chunk.begin(), chunk.end());
    count_ += chunk.size();
  }

  void add(std::uint64_t high, Bitmap bitmap) {
    const std::uint64_t labels = roaring_bitmap_get_cardinality(bitmap.get());
    if (labels > kMostInArray) {
      store(high, std::move(bitmap), labels);
      return;
    }
    few_.clear();
    for_each_low(*bitmap, [&](std::uint32_t low) {
      few_.push_back(label_of(high, low));
      return true;
    });
    add(few_);
  }

  // A chunk of another set, as it is.
  void add(const Chunk& chunk) {
    if (chunk.bitmap != nullptr) {
      store(chunk.high, checked(roaring_bitmap_copy(chunk.bitmap)),
            roaring_bitmap_get_cardinality(chunk.bitmap));
    } else {
      scattered_.insert(scattered_.end(), chunk.labels.begin(), chunk.labels.end());
      count_ += chunk.labels.size();
    }
  }

  // Null when nothing was added.
  std::shared_ptr<const StoredLabels> finish() && {
    if (count_ == 0) return nullptr;
    auto labels = std::make_shared<StoredLabels>();
    labels->highs_ = SortedKeys<std::uint64_t>(std::move(highs_));
    bitmaps_.shrink_to_fit();
    labels->bitmaps_ = std::move(bitmaps_);
    labels->scattered_ = SortedKeys<Label>(std::move(scattered_));
    labels->count_ = count_;
    return labels;
  }

 private:
  void store(std::uint64_t high, Bitmap bitmap, std::uint64_t labels) {
    // Either way it stays ranges or bits: fewer than kMostInArray labels come as few ranges only.
    if (roaring_bitmap_run_optimize(bitmap.get()) &&
        roaring_bitmap_portable_size_in_bytes(bitmap.get()) > kMostRangeBytes) {
      roaring_bitmap_remove_run_compression(bitmap.get());
    }
    roaring_bitmap_shrink_to_fit(bitmap.get());
    highs_.push_back(high);
    bitmaps_.push_back(std::move(bitmap));
    count_ += labels;
  }

  internal::Vector<std::uint64_t> highs_;
  internal::Vector<Bitmap> bitmaps_;
  internal::Vector<Label> scattered_;
  internal::Vector<Label> few_;  // scratch
  std::uint64_t count_ = 0;
};

namespace {

using Stored = std::shared_ptr<const StoredLabels>;

enum class Operation { kAnd, kOr, kMinus };

Bitmap combine_bitmaps(Operation operation, const roaring_bitmap_t* a, const roaring_bitmap_t* b) {
  switch (operation) {
    case Operation::kAnd:
      return checked(roaring_bitmap_and(a, b));
    case Operation::kOr:
      return checked(roaring_bitmap_or(a, b));
    case Operation::kMinus:
      break;
  }
  return checked(roaring_bitmap_andnot(a, b));
}

void combine_labels(Operation operation, std::span<const Label> a, std::span<const Label> b,
                    internal::Vector<Label>& result) {
  result.clear();
  const auto out = std::back_inserter(result);
  switch (operation) {
    case Operation::kAnd:
      std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), out);
      break;
    case Operation::kOr:
      std::set_union(a.begin(), a.end(), b.begin(), b.end(), out);
      break;
    case Operation::kMinus:
      std::set_difference(a.begin(), a.end(), b.begin(), b.end(), out);
      break;
  }
}

// What `operation` makes of two chunks with the same upper bits.
void combine_chunks(Operation operation, const Chunk& a, const Chunk& b,
                    internal::Vector<Label>& scratch, StoredLabels::Builder& result) {
  if (a.bitmap == nullptr && b.bitmap == nullptr) {
    combine_labels(operation, a.labels, b.labels, scratch);
    result.add(scratch);
    return;
  }
  const Bitmap made = a.bitmap == nullptr   ? bitmap_of(a.labels)
                      : b.bitmap == nullptr ? bitmap_of(b.labels)
                                            : nullptr;
  result.add(a.high, combine_bitmaps(operation, a.bitmap != nullptr ? a.bitmap : made.get(),
                                     b.bitmap != nullptr ? b.bitmap : made.get()));
}

Stored combine(Operation operation, const Stored& a, const Stored& b) {
  if (a == nullptr) return operation == Operation::kOr ? b : nullptr;
  if (b == nullptr) return operation == Operation::kAnd ? nullptr : a;
  const bool keeps_a = operation != Operation::kAnd;
  const bool keeps_b = operation == Operation::kOr;
  StoredLabels::Builder result;
  internal::Vector<Label> scratch;
  StoredLabels::Chunks of_a(*a);
  StoredLabels::Chunks of_b(*b);
  while (!of_a.done() && !of_b.done()) {
    if (of_a->high < of_b->high) {
      if (keeps_a) result.add(*of_a);
      ++of_a;
    } else if (of_b->high < of_a->high) {
      if (keeps_b) result.add(*of_b);
      ++of_b;
    } else {
      combine_chunks(operation, *of_a, *of_b, scratch, result);
      ++of_a;
      ++of_b;
    }
  }
  for (; keeps_a && !of_a.done(); ++of_a) result.add(*of_a);
  for (; keeps_b && !of_b.done(); ++of_b) result.add(*of_b);
  return std::move(result).finish();
}

Stored store(std::span<const Label> labels) {
  internal::Vector<Label> sorted(labels.begin(), labels.end());
  if (!std::is_sorted(sorted.begin(), sorted.end())) std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  StoredLabels::Builder result;
  for (std::span<const Label> rest = sorted; !rest.empty();) {
    const std::span<const Label> chunk = first_chunk(rest);
    result.add(chunk);
    rest = rest.subspan(chunk.size());
  }
  return std::move(result).finish();
}

}  // namespace

}  // namespace vicinal::engine

namespace vicinal {

using engine::Operation;

LabelSet::LabelSet(std::span<const Label> labels) : stored_(engine::store(labels)) {}

LabelSet LabelSet::all() noexcept { return {nullptr, true}; }

bool LabelSet::contains(Label label) const noexcept {
  return (stored_ != nullptr && stored_->contains(label)) != inverted_;
}

std::uint64_t LabelSet::stored() const noexcept {
  return stored_ == nullptr ? 0 : stored_->count();
}

std::uint64_t LabelSet::size() const noexcept {
  if (!inverted_) return stored();
  // 2^64 - stored(), which no 64 bits hold for 0.
  return std::numeric_limits<std::uint64_t>::max() - (stored() == 0 ? 0 : stored() - 1);
}

void LabelSet::for_each_stored(const std::function<bool(Label)>& visit) const {
  if (stored_ == nullptr) return;
  for (engine::StoredLabels::Chunks chunk(*stored_); !chunk.done(); ++chunk) {
    const bool all = chunk->bitmap == nullptr
                         ? std::ranges::all_of(chunk->labels, std::cref(visit))
                         : engine::for_each_low(*chunk->bitmap, [&](std::uint32_t low) {
                             return visit(engine::label_of(chunk->high, low));
                           });
    if (!all) return;
  }
}

std::uint64_t LabelSet::bytes() const noexcept { return stored_ == nullptr ? 0 : stored_->bytes(); }

// Each pair of flags leaves a set that is stored: ~a & ~b is ~(a | b), and so on.
LabelSet operator&(const LabelSet& a, const LabelSet& b) {
  if (a.inverted_ && b.inverted_) {
    return {engine::combine(Operation::kOr, a.stored_, b.stored_), true};
  }
  if (a.inverted_) return {engine::combine(Operation::kMinus, b.stored_, a.stored_), false};
  if (b.inverted_) return {engine::combine(Operation::kMinus, a.stored_, b.stored_), false};
  return {engine::combine(Operation::kAnd, a.stored_, b.stored_), false};
}

LabelSet operator|(const LabelSet& a, const LabelSet& b) { return ~(~a & ~b); }

LabelSet operator-(const LabelSet& a, const LabelSet& b) { return a & ~b; }

bool operator==(const LabelSet& a, const LabelSet& b) noexcept {
  if (a.inverted_ != b.inverted_) return false;
  if (a.stored_ == b.stored_) return true;
  return a.stored_ != nullptr && b.stored_ != nullptr && a.stored_->equals(*b.stored_);
}

}  // namespace vicinal
