// The decision record's tables, from results that are written here.
#include <gtest/gtest.h>

#include "bench/decision/report.h"

namespace vicinal::bench {
namespace {

Json crossover(std::uint64_t size, double incremental, double rebuild) {
  return {{"shape", "uniform"},           {"batch", "100"},      {"size", size}, {"rows", 100},
          {"incremental_s", incremental}, {"rebuild_s", rebuild}};
}

Json store(double rebuild_s, double incremental_s) {
  return {{"recall_incremental", 0.9876},
          {"search_idle", {{"p50_us", 500.0}, {"p99_us", 900.0}}},
          {"incremental",
           {{"batch_s", incremental_s},
            {"single", {{"mean_us", 1500.0}, {"p50_us", 1400.0}, {"p99_us", 2500.0}}}}},
          {"rebuild", {{"batch_s", rebuild_s}, {"recall", 0.9912}}}};
}

Json record() {
  Json json = {{"commit", "abc"},
               {"command", "bench/decision_record"},
               {"machine", {{"CPU", "made up"}}},
               {"dimension", 384},
               {"M", 16},
               {"ef_construction", 200},
               {"ef_search", 200},
               {"k", 10},
               {"metric", "cosine"},
               {"seed", 7},
               {"threads", 2},
               {"batch", 100},
               {"batches", 5},
               {"singles", 300},
               {"queries", 500},
               {"budget_s", 60.0},
               {"shapes", {"uniform"}},
               {"sizes", {1000, 100000, 500000}},
               {"crossover_sizes", {10, 100, 1000}},
               {"complete", false},
               {"skipped", Json::array()}};
  json["record"] = {{"machine", "Apple silicon"},
                    {"lines",
                     {{{"size", 1000},
                       {"rebuild_s", 0.015},
                       {"rebuild_estimated", false},
                       {"incremental_ms_estimated", 0.5}},
                      {{"size", 500000},
                       {"rebuild_s", 12.0},
                       {"rebuild_estimated", true},
                       {"incremental_ms_estimated", 2.0}}}},
                    {"triggers", {{"vectors", 500000}, {"insert_ms", 100}, {"batch_s", 5}}}};
  json["runs"] = {{{"shape", "uniform"}, {"size", 1000}, {"store", store(0.4, 0.05)}},
                  {{"shape", "uniform"}, {"size", 100000}, {"store", store(80, 0.1)}}};
  json["crossover"] = {crossover(10, 0.010, 0.009), crossover(100, 0.010, 0.025),
                       crossover(1000, 0.020, 0.6)};
  return json;
}

void expect_line(const std::string& text, const std::string& line) {
  EXPECT_NE(text.find(line), std::string::npos) << "no " << line << " in\n" << text;
}

TEST(DecisionReportTest, WhatIsNotMeasuredSaysSo) {
  expect_line(rebuild_table(record(), "uniform"), "| 500,000 | (12.0) | not measured |");
  expect_line(decision_document(record()), "This run has not ended, or was stopped");
  Json skipped = record();
  skipped["complete"] = true;
  skipped["skipped"] = {{{"shape", "uniform"},
                         {"part", "store"},
                         {"size", 500000},
                         {"expected_s", 700.0},
                         {"left_s", 20.0}}};
  const std::string text = decision_document(skipped);
  expect_line(text, "uniform, store at 500,000: left out, expected to take 700 s");
  EXPECT_EQ(text.find("has not ended"), std::string::npos);
}

TEST(DecisionReportTest, RebuildIsAmortisedOverTheBatch) {
  expect_line(rebuild_table(record(), "uniform"), "| 1,000 | 0.0150 | 0.400 | 4.00 |");
}

TEST(DecisionReportTest, IncrementalHasTheRatioToTheRebuild) {
  expect_line(incremental_table(record(), "uniform"),
              "| 1,000 | (0.500) | 1.50 | 1.40 | 2.50 | 50.0 | 0.500 | 8.00 |");
}

TEST(DecisionReportTest, CrossoverIsWhereIncrementalWinsForGood) {
  EXPECT_EQ(wins_from(record(), "uniform", "100"), 100u);
  Json later = record();
  later["crossover"].push_back(crossover(3000, 2.0, 1.0));
  EXPECT_FALSE(wins_from(later, "uniform", "100").has_value());
  expect_line(crossover_table(record(), "uniform"), "| 100 | 0.900 | 2.50 | 30.0 | 100 |");
  expect_line(crossover_table(record(), "uniform"),
              "| 1 | not measured | not measured | not measured | not measured |");
}

TEST(DecisionReportTest, TriggersRowByRow) {
  const std::string table = trigger_table(record(), "uniform");
  expect_line(table,
              "| more than 500,000 vectors | a batch of 100: size not measured; 80.0 s at "
              "100,000 |");
  expect_line(table, "amortised over 100: reached at 100,000: 800 ms");
  expect_line(table, "single, p99: not reached: 2.50 ms at 100,000");
  expect_line(table,
              "| more than 5 s a batch | reached at 100,000: 80.0 s | not reached: 0.100 s at "
              "100,000 |");
}

TEST(DecisionReportTest, ColdIdleSearchesAreSaidToBeCold) {
  // Of records before the mark.
  expect_line(decision_document(record()),
              "**The idle columns of this record are of one cold pass of 500 searches**");
  Json warm = record();
  warm["idle_warm"] = true;
  EXPECT_EQ(decision_document(warm).find("cold pass"), std::string::npos);
}

TEST(DecisionReportTest, RecallOfBothPathsStandsSideBySide) {
  expect_line(quality_table(record(), "uniform"), "| 1,000 | 0.9876 | 0.9912 |");
}

}  // namespace
}  // namespace vicinal::bench
