// Entries of a candidate pool against sorting them one by one, on every target.
#include <algorithm>
#include <limits>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

class Entries : public TargetTest {};
VICINAL_FOR_EVERY_TARGET(Entries);

constexpr std::uint64_t kNoBound = ~std::uint64_t{0};

std::vector<std::uint64_t> entries_oracle(const std::uint32_t* ids, const float* distances,
                                          std::size_t count, std::uint64_t bound) {
  std::vector<std::uint64_t> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t entry = pool_entry(ids[i], distances[i]);
    if (entry < bound) entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

TEST_P(Entries, AreThoseBelowTheBoundInOrder_K3_K5) {
  const GuardedPages id_pages(kMostEntries * sizeof(std::uint32_t));
  const GuardedPages distance_pages(kMostEntries * sizeof(float));
  const GuardedPages out_pages(kMostEntries * sizeof(std::uint64_t));
  std::mt19937 random(5);
  for (std::size_t count = 0; count <= kMostEntries; ++count) {
    std::uint32_t* const ids = id_pages.at_end<std::uint32_t>(count);
    float* const distances = distance_pages.at_end<float>(count);
    for (const std::uint32_t different : {1u, 7u, 1u << 20}) {
      for (std::size_t i = 0; i < count; ++i) {
        ids[i] = (static_cast<std::uint32_t>(i) << 24 | random() % (1u << 24)) & 0x7FFFFFFFu;
        distances[i] = (static_cast<float>(random() % different) - 3.0f) * 0.25f;
      }
      std::vector<std::uint64_t> bounds = entries_oracle(ids, distances, count, kNoBound);
      bounds.push_back(kNoBound);
      bounds.push_back(0);
      for (const std::uint64_t bound : bounds) {
        const std::vector<std::uint64_t> wanted = entries_oracle(ids, distances, count, bound);
        std::uint64_t* const out = out_pages.at_end<std::uint64_t>(wanted.size());
        ASSERT_EQ(table().sorted_entries(ids, distances, count, bound, out), wanted.size());
        ASSERT_TRUE(std::equal(wanted.begin(), wanted.end(), out)) << count << " " << bound;
      }
    }
  }
}

TEST_P(Entries, KeepTheOrderOfAllFloatsAndTheLargestId) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> distances = {-kInfinity, -3e38f, -1.0f, -1e-40f,  0.0f,
                                        1e-40f,     1.0f,   3e38f, kInfinity};
  std::vector<float> reversed(distances.rbegin(), distances.rend());
  std::vector<std::uint32_t> ids(distances.size(), 0x7FFFFFFEu);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] -= static_cast<std::uint32_t>(i);
  std::vector<std::uint64_t> out(distances.size());
  ASSERT_EQ(table().sorted_entries(ids.data(), reversed.data(), ids.size(), kNoBound, out.data()),
            out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i], pool_entry(ids[out.size() - 1 - i], distances[i])) << i;
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
