// An index while a repair pass has begun and is not done: what it condemned is there yet, and hardly
// anything else.
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr std::uint32_t kFour = 4;

Index small_graph() {
  IndexOptions options = small_options();
  options.dimension = kFour;
  options.metric = Metric::kInnerProduct;
  options.ef_construction = 24;
  options.threads = 1;
  options.repair_share = 0;
  return *Index::in_memory(options);
}

// A batch says so, too.
TEST(RepairBegun, TheVectorErasedBeforeIsResurrected) {
  const std::vector<float> vector = {1, 2, 3, 4};
  for (const bool batch : {false, true}) {
    Index index = small_graph();
    ASSERT_TRUE(index.upsert(7, vector).ok());
    ASSERT_TRUE(index.erase(7).ok());
    ASSERT_FALSE(index.repair({.slice = 1})->finished);
    if (batch) {
      EXPECT_EQ(index.upsert_batch(std::vector<Label>{7}, vector)->resurrected, 1u);
    } else {
      EXPECT_EQ(*index.upsert(7, vector), UpsertOutcome::kResurrected);
    }
  }
}

/// Vectors whose products are the greater the higher their number: one node is everybody's nearest.
void store_row(Index& index, Label first, std::size_t count, const std::vector<float>& head) {
  std::vector<float> vectors = head;
  for (std::size_t i = 1; i < count; ++i) {
    for (const float x : {127.0F, static_cast<float>(i), 3.0F, 5.0F}) vectors.push_back(x);
  }
  ASSERT_TRUE(index.upsert_batch(labels_up_to(count, first), vectors).ok());
}

// Its list is full of children that are condemned: those that come find somebody else to hang from.
TEST(RepairBegun, AHubOfCondemnedChildren) {
  Index index = small_graph();
  const std::vector<float> other = {-127, 0, 0, 0};
  ASSERT_TRUE(index.upsert(0, other).ok());
  ASSERT_TRUE(
      index
          .upsert_batch(std::vector<Label>{6, 12}, std::vector<float>{0, -127, 0, 0, 0, -127, 0, 0})
          .ok());
  store_row(index, 1, 35, other);
  store_row(index, 0, 25, other);
  ASSERT_FALSE(index.repair({.slice = 1})->finished);
  for (int times = 0; times < 4; ++times) {
    store_row(index, 1, 25, other);
    expect_sound(index);
  }
  ASSERT_TRUE(index.repair()->finished);
  expect_sound(index);
}

}  // namespace
}  // namespace vicinal::testing
