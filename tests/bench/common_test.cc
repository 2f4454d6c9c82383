// What every measurement shares: medians, and truth files against the base that they are of.
#include "bench/vicinal_bench/common.h"

#include <gtest/gtest.h>

namespace vicinal::bench {
namespace {

TEST(BenchCommonTest, MedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({7}), 7);
  EXPECT_EQ(median({3, 1}), 2);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median({100, 1, 4, 3}), 3.5);
}

TEST(BenchCommonTest, TruthMustBeOfTheBase) {
  matrix::Truth truth;
  truth.rows = 2;
  truth.columns = 3;
  truth.values = {0, 1, 2, 9, 4, 10};
  EXPECT_TRUE(check_truth(truth, "t.ivecs", 11).ok());
  const Status s = check_truth(truth, "t.ivecs", 10);
  EXPECT_EQ(s.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(s.message(), "t.ivecs: row 1: neighbor 10, the base has 10 rows, 0 to 9");
}

}  // namespace
}  // namespace vicinal::bench
