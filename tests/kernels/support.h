// Shared by the kernel tests: one fixture per compiled target, guarded memory, random data.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace vicinal::kernels::testing {

inline std::vector<std::string> compiled_targets() {
  std::vector<std::string> names;
  for (const TargetInfo& target : targets()) names.emplace_back(target.name);
  return names;
}

/// Runs a test once per compiled target; those that this CPU cannot execute are skipped by name.
class TargetTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    for (const TargetInfo& target : targets()) {
      if (target.name == GetParam() && !target.supported) {
        GTEST_SKIP() << GetParam() << ": " << target.why_not;
      }
    }
    const Result<const KernelTable*> found = kernels_for_target(GetParam());
    ASSERT_TRUE(found.ok()) << found.status().to_string();
    table_ = *found;
  }

  const KernelTable& table() const { return *table_; }

 private:
  const KernelTable* table_ = nullptr;
};

#define VICINAL_FOR_EVERY_TARGET(suite)                                                 \
  INSTANTIATE_TEST_SUITE_P(EveryTarget, suite, ::testing::ValuesIn(compiled_targets()), \
                           [](const auto& each) { return each.param; })

/// Pages with an inaccessible one before and one after: reading or writing outside faults (K3).
class GuardedPages {
 public:
  explicit GuardedPages(std::size_t bytes)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        usable_((bytes + page_ - 1) / page_ * page_) {
    base_ = static_cast<std::byte*>(
        mmap(nullptr, usable_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + page_, usable_, PROT_READ | PROT_WRITE) != 0) {
      std::abort();
    }
  }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  ~GuardedPages() { munmap(base_, usable_ + 2 * page_); }

  /// The first address that may be read.
  template <class T>
  T* at_start() const {
    return reinterpret_cast<T*>(base_ + page_);
  }
  /// `count` items that end where memory ends.
  template <class T>
  T* at_end(std::size_t count) const {
    return reinterpret_cast<T*>(base_ + page_ + usable_ - count * sizeof(T));
  }

 private:
  std::size_t page_;
  std::size_t usable_;
  std::byte* base_ = nullptr;
};

/// 1 to 200, the widths around 256, and the dimensions that users have.
inline std::vector<std::size_t> lengths() {
  std::vector<std::size_t> all;
  for (std::size_t n = 1; n <= 200; ++n) all.push_back(n);
  for (const std::size_t n : {255, 256, 257, 300, 384, 768, 1536}) all.push_back(n);
  return all;
}

inline std::vector<float> random_floats(std::size_t n, std::uint32_t seed, float magnitude = 1.0f) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-magnitude, magnitude);
  std::vector<float> values(n);
  for (float& value : values) value = uniform(random);
  return values;
}

/// Rows of codes with their metas in two segments, as the graph holds them. Row 5 is in the second.
class CodeRows {
 public:
  static constexpr std::uint32_t kShift = 2;
  static constexpr std::uint32_t kRowsPerSegment = 1u << kShift;

  /// Rows of code_stride() or of packed_code_stride().
  CodeRows(std::size_t stride, std::uint32_t rows)
      : stride_(stride), pages_((rows + kRowsPerSegment) * stride_) {
    const std::size_t segment_bytes = kRowsPerSegment * stride_;
    const std::uint32_t segment_count = (rows + kRowsPerSegment - 1) / kRowsPerSegment;
    std::byte* const base = pages_.at_end<std::byte>(segment_count * segment_bytes);
    for (std::uint32_t s = 0; s < segment_count; ++s) segments_.push_back(base + s * segment_bytes);
  }

  RowTable table() const { return {segments_.data(), kShift, kRowsPerSegment - 1, stride_}; }
  std::int8_t* codes(std::uint32_t id) {
    return reinterpret_cast<std::int8_t*>(const_cast<std::byte*>(table().row(id)));
  }
  CodeMeta& meta(std::uint32_t id) {
    return const_cast<CodeMeta&>(code_meta(table().row(id), stride_));
  }

 private:
  std::size_t stride_;
  GuardedPages pages_;
  std::vector<const std::byte*> segments_;
};

}  // namespace vicinal::kernels::testing
