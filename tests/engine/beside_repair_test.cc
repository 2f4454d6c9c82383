// Searches while repair moves what they walk through.
#include <algorithm>
#include <atomic>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "tests/engine/engine_testing.h"
#include "tests/for_sanitizer.h"

namespace vicinal::testing {
namespace {

// Repair moves a node from a parent that a walk has not expanded yet to one that it has: a walk that met
// too few has not met all.
TEST(Motion, SearchesBesideRepairFindAllThatMatch) {
  constexpr Label kKept = 150;
  IndexOptions options = small_options();
  options.dimension = 6;
  options.M = 5;
  options.ef_construction = 20;
  options.threads = 2;
  options.repair_share = 0;
  options.reserve = 5000;
  // Most are copies of a few.
  const auto row = [](std::uint64_t i) { return vector_of(i % 3 == 0 ? i : i % 8, 0, 6); };
  const auto rows = [&](std::span<const Label> labels, std::uint64_t i) {
    std::vector<float> all;
    for (const Label label : labels) {
      const std::vector<float> one = row(label * 31 + i);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  };
  Index index = *Index::in_memory(options);
  const std::vector<Label> labels = labels_up_to(kKept);
  ASSERT_OK(index.upsert_batch(labels, rows(labels, 0)).status());
  std::atomic<bool> over{false};
  std::vector<std::jthread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      while (!over) {
        const std::uint64_t i = random();
        ASSERT_OK(index.upsert(i % kKept, row(i)).status());
        std::vector<Label> others(1 + i % 60);
        for (Label& label : others) {
          label = random() % 3 == 0 ? random() % kKept : kKept + random() % 300;
        }
        ASSERT_OK(index.upsert_batch(others, rows(others, i)).status());
        for (Label& label : others) label = kKept + random() % 300;
        ASSERT_OK(index.erase_batch(others).status());
      }
    });
  }
  threads.emplace_back([&] {
    while (!over) ASSERT_OK(index.repair().status());
  });
  const LabelSet set(labels);
  std::uint64_t missed = 0;
  for (std::uint64_t i = 0; i < for_sanitizer(30'000); ++i) {
    SearchOptions some{.k = i % 3 == 0 ? kKept : 15, .ef_search = 3};
    some.filter =
        i % 2 == 0 ? Filter::among(set) : Filter::by([](Label label) { return label < kKept; });
    missed += index.search(row(i), some)->size() == some.k ? 0 : 1;
    if (i % 20 != 0) continue;
    const SearchResult all = *index.search_radius(row(i), 1e30F, {});
    missed += std::count_if(all.begin(), all.end(),
                            [](const Hit& hit) { return hit.label < kKept; }) == kKept
                  ? 0
                  : 1;
  }
  over = true;
  threads.clear();
  EXPECT_EQ(missed, 0u);
  expect_sound(index);
}

}  // namespace
}  // namespace vicinal::testing
