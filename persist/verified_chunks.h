// VerifiedChunks: which vectors chunks of an index were found sound in this process.
//
// What: a load that delivers no rows (LoadOptions::rows false) leaves the chunks to whoever reads
// them first; what was verified once is believed afterwards, as after a load that verifies all.
// Ownership: owns its bits.
// Threads: expect() before the index is shared, the others any. A bit says only that some thread
// found a checksum right, and publishes nothing: relaxed.
//
// Invariant: a chunk that changes was verified before it did (write_rows()) and has a right
// checksum afterwards, so a bit stays true.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/allocator.h"

namespace vicinal::persist {

class VerifiedChunks {
 public:
  /// Chunks below `count` are not verified yet; those above are written in this process.
  void expect(std::uint64_t count) {
    words_ = Words((count + kBits - 1) / kBits);
    count_ = count;
  }
  bool contains(std::uint32_t chunk) const {
    return chunk >= count_ ||
           (words_[chunk / kBits].load(std::memory_order_relaxed) & bit(chunk)) != 0;
  }
  void add(std::uint32_t chunk) {
    if (chunk < count_) words_[chunk / kBits].fetch_or(bit(chunk), std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint32_t kBits = 64;
  using Words = internal::Vector<std::atomic<std::uint64_t>>;
  static std::uint64_t bit(std::uint32_t chunk) { return std::uint64_t{1} << (chunk % kBits); }

  Words words_;
  std::uint64_t count_ = 0;
};

}  // namespace vicinal::persist
