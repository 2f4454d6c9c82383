// VICINAL_TARGET reaches the engine: an index made in this process uses the target it names. Run by
// forced.sh, once per target; without the variable the best target is expected.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/engine_testing.h"
#include "vicinal/cpu.h"

namespace vicinal::testing {
namespace {

/// What must be in use: the forced target, or the best one that this CPU executes.
std::string expected_target() {
  const char* const forced = std::getenv("VICINAL_TARGET");
  if (forced != nullptr && *forced != '\0') return forced;
  for (const CpuTarget& target : cpu_targets()) {
    if (target.supported) return target.name;
  }
  return "none";
}

TEST(Forced, TheIndexUsesTheTarget) {
  const Result<Index> index = Index::in_memory(small_options());
  ASSERT_TRUE(index.ok()) << index.status().to_string();
  EXPECT_EQ(index->stats().target, expected_target());
  std::size_t chosen = 0;
  for (const CpuTarget& target : cpu_targets()) {
    if (!target.chosen) continue;
    EXPECT_EQ(target.name, expected_target());
    ++chosen;
  }
  EXPECT_EQ(chosen, 1u);
}

TEST(Forced, AnswersAgreeWithExactSearch) {
  TemporaryFolder folder;
  const std::vector<Label> labels = labels_up_to(400);
  Store store = *Store::open(folder.file("s"), quick_store());
  for (const Metric metric : {Metric::kCosine, Metric::kSquaredL2, Metric::kInnerProduct}) {
    IndexOptions options = small_options();
    options.metric = metric;
    const std::string name = "by-metric-" + std::to_string(static_cast<int>(metric));
    Index index = *store.index(name, options);
    ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
    for (Label label = 0; label < 20; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
    }
    expect_sound(index, true);
    std::size_t right = 0;
    for (Label query = 9000; query < 9020; ++query) {
      const auto near = index.search(vector_of(query), {.k = 5, .ef_search = 200});
      const auto exact = index.search(vector_of(query), {.k = 5, .exact = true});
      ASSERT_TRUE(near.ok() && exact.ok());
      for (const Hit& hit : *exact) {
        right += static_cast<std::size_t>(std::count(near->begin(), near->end(), hit));
      }
    }
    EXPECT_GE(right, 97u) << "of 100, metric " << static_cast<int>(metric);
  }
}

}  // namespace
}  // namespace vicinal::testing
