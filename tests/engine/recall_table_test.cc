// RecallTable on samples whose recall is given by a formula.
#include "engine/recall_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace vicinal::engine {
namespace {

using Source = RecallTable::Source;

/// What walks of `width` find of the nearest `depth`, where queries are `hardness` times as hard.
double recall_of(double width, double depth, double hardness = 1) {
  return 1 - std::min(1.0, 0.5 * hardness * std::pow(depth, 0.3) / width);
}

RecallSample sample(std::mt19937& random, double hardness = 1, std::size_t depths = kDeepest + 1) {
  RecallSample made;
  made.depths = depths;
  for (std::size_t w = 0; w < kRecallSteps.size(); ++w) {
    for (std::size_t d = 0; d < depths && d <= w; ++d) {
      std::binomial_distribution<int> found(static_cast<int>(kRecallSteps[d]),
                                            recall_of(kRecallSteps[w], kRecallSteps[d], hardness));
      made.found[w][d] = static_cast<float>(found(random)) / static_cast<float>(kRecallSteps[d]);
    }
  }
  return made;
}

void fill(RecallTable& table, Source source, int samples, double hardness = 1,
          std::size_t depths = kDeepest + 1) {
  std::mt19937 random(7);
  for (int i = 0; i < samples; ++i) table.add(sample(random, hardness, depths), source);
}

TEST(RecallTableTest, KnowsNothingAtFirst) {
  const RecallTable table;
  EXPECT_EQ(table.ef_for(10, 0.9), 0u);
  EXPECT_LT(table.recall(10, recall_step(100)), 0);
}

TEST(RecallTableTest, GivesTheEfThatTheFormulaHas) {
  RecallTable table;
  fill(table, Source::kOwnVectors, 1000);
  EXPECT_EQ(table.samples(Source::kOwnVectors), 1000u);
  for (const std::size_t k : {10u, 12u, 20u, 100u, 300u}) {
    std::size_t before = 0;
    for (const double wanted : {0.9, 0.95, 0.97, 0.99, 0.998}) {
      const std::size_t ef = table.ef_for(k, wanted);
      EXPECT_GE(ef, std::max(k, before)) << k << " " << wanted;
      before = ef;
      if (ef == k) {
        EXPECT_GE(recall_of(static_cast<double>(k), static_cast<double>(k)), wanted - 0.005);
        continue;
      }
      const double got = recall_of(static_cast<double>(ef), static_cast<double>(k));
      EXPECT_NEAR(got, wanted, 0.1 * (1 - wanted) + 0.002) << k << " " << wanted;
    }
  }
}

TEST(RecallTableTest, GoesBeyondTheDeepestSampleInProportion) {
  RecallTable table;
  fill(table, Source::kOwnVectors, 200);
  const std::size_t deepest = kRecallSteps[kDeepest];
  EXPECT_NEAR(static_cast<double>(table.ef_for(5 * deepest, 0.999)),
              5.0 * static_cast<double>(table.ef_for(deepest, 0.999)), 5);
}

TEST(RecallTableTest, DoesNotKnowDepthsThatNobodySought) {
  RecallTable table;
  fill(table, Source::kOwnVectors, 200, 1, recall_step(10) + 1);
  EXPECT_GT(table.ef_for(10, 0.9), 0u);
  EXPECT_EQ(table.ef_for(100, 0.9), 0u);
}

TEST(RecallTableTest, QueriesThatAreHarderDecideWhenThereAreMany) {
  RecallTable table;
  fill(table, Source::kOwnVectors, 2000);
  const std::size_t own = table.ef_for(10, 0.95);
  fill(table, Source::kQueries, 10, 4);
  EXPECT_EQ(table.ef_for(10, 0.95), own) << "ten queries are too few";
  fill(table, Source::kQueries, 500, 4);
  const auto ef = static_cast<double>(table.ef_for(10, 0.95));
  EXPECT_NEAR(recall_of(ef, 10, 4), 0.95, 0.01);
}

TEST(RecallTableTest, QueriesLikeTheVectorsChangeLittle) {
  RecallTable table;
  fill(table, Source::kOwnVectors, 2000);
  const auto own = static_cast<double>(table.ef_for(10, 0.95));
  std::mt19937 random(99);
  for (int i = 0; i < 300; ++i) table.add(sample(random), Source::kQueries);
  EXPECT_NEAR(static_cast<double>(table.ef_for(10, 0.95)), own, 0.05 * own);
}

TEST(RecallTableTest, WhatIsMeasuredAnewTakesOverWhenThereIsEnough) {
  RecallTable table;
  fill(table, Source::kOwnVectors, 500);
  const std::size_t before = table.ef_for(10, 0.95);
  table.renew();
  EXPECT_EQ(table.samples(Source::kOwnVectors), 0u);
  fill(table, Source::kOwnVectors, 60, 4);
  EXPECT_EQ(table.ef_for(10, 0.95), before);
  fill(table, Source::kOwnVectors, 400, 4);
  EXPECT_GT(table.ef_for(10, 0.95), 2 * before);
}

}  // namespace
}  // namespace vicinal::engine
