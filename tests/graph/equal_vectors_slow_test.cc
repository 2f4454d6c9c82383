// A hundred thousand copies of one vector: what took others days.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

TEST(EqualVectorsSlow, AHundredThousandCopiesOfOne) {
  Config config;
  config.dimension = 8;
  Rows rows{8, std::vector<float>(100000 * 8, 1.0f)};
  const auto start = std::chrono::steady_clock::now();
  const auto g = build(config, rows);
  EXPECT_SOUND(*g);
  EXPECT_EQ(search(*g, rows.row(0), 100, 100).found.size(), 100u);
  for (std::uint32_t i = 0; i < 100000; i += 2) g->erase(NodeId{i});
  EXPECT_EQ(repair_and_recycle(*g), 50000u);
  EXPECT_SOUND(*g);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(120));
}

}  // namespace
}  // namespace vicinal::graph::testing
