// Recall of answers given while labels were written: what is known counts, what changes does not.
#include "bench/vicinal_bench/live_recall.h"

#include <gtest/gtest.h>

namespace vicinal::bench {
namespace {

/// Rows 0, 1, 2, ... on a line; the query stands at 0, so a row's number is its rank.
matrix::Matrix line(std::uint64_t rows) {
  matrix::Matrix matrix;
  matrix.rows = rows;
  matrix.dimension = 1;
  for (std::uint64_t r = 0; r < rows; ++r) matrix.values.push_back(static_cast<float>(r));
  return matrix;
}

std::vector<Entry> entries(std::initializer_list<std::uint32_t> rows) {
  std::vector<Entry> made;
  for (const std::uint32_t row : rows) made.push_back({row, row});
  return made;
}

/// Judges one answer to the query at 0, given from time 100 to 200.
Verdict judge_one(const History& history, std::vector<Label> labels, std::size_t k) {
  const matrix::Matrix base = line(20);
  const Ranking ranking = rank(base, history.rows(), line(1), Metric::kSquaredL2, k);
  return judge(history, ranking, {{{100, 200, std::move(labels)}}}, k);
}

void expect_share(const Verdict& verdict, double found, double wanted, std::uint64_t dead) {
  EXPECT_EQ(verdict.by_query[0].found, found);
  EXPECT_EQ(verdict.by_query[0].wanted, wanted);
  EXPECT_EQ(verdict.dead_hits, dead);
}

TEST(LiveRecall, QuietIndexIsHeldAgainstAllThatIsLive) {
  const History quiet(entries({1, 2, 5, 9}), {});
  expect_share(judge_one(quiet, {1, 2, 5}, 3), 3, 3, 0);
  expect_share(judge_one(quiet, {1, 5, 9}, 3), 2, 3, 0);
  expect_share(judge_one(quiet, {1, 2, 5, 9}, 10), 4, 4, 0);
}

TEST(LiveRecall, WritesBeforeAndAfterTheSearchAreKnown) {
  const History history(entries({1, 2, 5}), {{.label = 1, .row_out = 1, .begin = 10, .end = 20},
                                             {.label = 30, .row_in = 3, .begin = 30, .end = 40},
                                             {.label = 2, .row_out = 2, .begin = 300, .end = 310},
                                             {.label = 31, .row_in = 0, .begin = 300, .end = 310}});
  expect_share(judge_one(history, {2, 30, 5}, 3), 3, 3, 0);
  expect_share(judge_one(history, {1, 2, 5}, 3), 2, 3, 1);
  expect_share(judge_one(history, {31, 2, 30}, 3), 2, 3, 1);
}

TEST(LiveRecall, AnInsertDuringTheSearchMayShowOrNot) {
  const History history(entries({1, 2, 5, 9}),
                        {{.label = 30, .row_in = 3, .begin = 150, .end = 400}});
  expect_share(judge_one(history, {1, 2, 5}, 3), 3, 3, 0);
  expect_share(judge_one(history, {1, 2, 30}, 3), 2, 2, 0);
  // It takes no place from those that are nearer.
  expect_share(judge_one(history, {1, 30, 5}, 2), 1, 2, 0);
}

TEST(LiveRecall, AnUpdateDuringTheSearchTakesOnePlaceWhicheverVectorShows) {
  const History history(entries({1, 2, 5, 9}),
                        {{.label = 1, .row_out = 1, .row_in = 3, .begin = 50, .end = 120}});
  expect_share(judge_one(history, {1, 2, 5}, 3), 2, 2, 0);
  expect_share(judge_one(history, {2, 5, 9}, 3), 3, 3, 0);
}

TEST(LiveRecall, AnEraseDuringTheSearchMayShowOrNot) {
  const History history(entries({1, 2, 5}), {{.label = 1, .row_out = 1, .begin = 199, .end = 220},
                                             {.label = 40, .row_in = 1, .begin = 230, .end = 240}});
  expect_share(judge_one(history, {1, 2}, 2), 1, 1, 0);
  expect_share(judge_one(history, {2, 5}, 2), 2, 2, 0);
  expect_share(judge_one(history, {40, 2}, 2), 1, 2, 1);
}

TEST(LiveRecall, TwoIndexesAreComparedOverTheQueriesThatBothAnswered) {
  Verdict one;
  one.by_query = {{1, 2}, {0, 0}, {2, 2}};
  Verdict other;
  other.by_query = {{2, 2}, {1, 1}, {0, 0}};
  EXPECT_EQ(recall(one, other), 0.5);
  EXPECT_EQ(recall(other, one), 1.0);
  EXPECT_EQ(recall(one, one), 0.75);
  EXPECT_EQ(recall(one, one, {2}), 1.0);
}

TEST(LiveCount, NeverSaysMoreThanWasLiveAtAnyMoment) {
  LiveCount count;
  count.reset(5);
  const std::uint64_t before = count.before();
  count.erasing();
  count.added(1);  // back at five, but four were live in between
  EXPECT_EQ(count.fewest(before), 4u);
  EXPECT_EQ(count.fewest(count.before()), 5u);
}

}  // namespace
}  // namespace vicinal::bench
