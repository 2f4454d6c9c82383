// Speeds at equal recall, the verdicts on targets and the table of motion, from results that are
// written here.
#include <gtest/gtest.h>

#include <cmath>

#include "bench/compare/report.h"

namespace vicinal::bench {
namespace {

Json points(std::initializer_list<std::pair<double, double>> list) {
  Json all = Json::array();
  std::size_t ef = 10;
  for (const auto& [recall, qps] : list) {
    all.push_back({{"ef", ef}, {"recall", recall}, {"qps", qps}});
    ef *= 2;
  }
  return all;
}

Json result() {
  return {{"dataset", "made"},
          {"rows", 60000},
          {"dimension", 300},
          {"queries_count", 100},
          {"k", 10},
          {"M", 16},
          {"ef_construction", 200},
          {"held_out", 500},
          {"repetitions", 3},
          {"builds",
           {{{"engine", "hnswlib"},
             {"way", "add"},
             {"threads", 1},
             {"inserts_per_s", 1000.0},
             {"recall", 0.95}},
            {{"engine", "vicinal"},
             {"way", "upsert_batch"},
             {"threads", 1},
             {"inserts_per_s", 3500.0},
             {"recall", 0.949}}}},
          {"inserts",
           {{{"engine", "hnswlib"}, {"p50_us", 400.0}, {"p99_us", 900.0}},
            {{"engine", "vicinal"}, {"p50_us", 200.0}, {"p99_us", 300.0}}}},
          {"queries",
           {{{"engine", "vicinal"}, {"points", points({{0.85, 16000}, {0.95, 4000}})}},
            {{"engine", "hnswlib"}, {"points", points({{0.91, 2000}, {0.95, 1000}})}}}}};
}

TEST(CompareReportTest, SpeedIsLogLinearBetweenPoints) {
  const auto middle = speed_at(result(), "vicinal", 0.90);
  ASSERT_TRUE(middle.has_value());
  EXPECT_NEAR(middle->qps, 8000, 1e-6);
  EXPECT_FALSE(middle->at_smallest_ef);
  EXPECT_NEAR(speed_at(result(), "vicinal", 0.95)->qps, 4000, 1e-6);
}

TEST(CompareReportTest, SmallestEfIsMarked) {
  const auto speed = speed_at(result(), "hnswlib", 0.90);
  ASSERT_TRUE(speed.has_value());
  EXPECT_EQ(speed->qps, 2000);
  EXPECT_TRUE(speed->at_smallest_ef);
}

TEST(CompareReportTest, RecallThatNoEfReaches) {
  EXPECT_FALSE(speed_at(result(), "vicinal", 0.99).has_value());
  EXPECT_FALSE(speed_at(result(), "faiss", 0.90).has_value());
}

TEST(CompareReportTest, VerdictsSayByHowMuch) {
  const std::string table = targets_table({result()});
  EXPECT_NE(table.find("recall 0.95 against hnswlib | made | 2.5 | 2 | 4 | goal reached"),
            std::string::npos)
      << table;
  // 3.5 of 4 wanted, 3 at least.
  EXPECT_NE(table.find("| 4 | 3 | 3.5 | at least reached, 12 % short of the goal"),
            std::string::npos)
      << table;
  // Half of hnswlib's time where a third is the most allowed; the target names 384 dimensions.
  EXPECT_NE(table.find("| 0.5 | MISSED by 50 % (other data"), std::string::npos) << table;
}

TEST(CompareReportTest, SpeedsThatAreNotAtEqualRecallHaveAStar) {
  const std::string table = targets_table({result()});
  // hnswlib's smallest ef gives 0.91.
  EXPECT_NE(table.find("recall 0.90 against hnswlib | made | 2.5 | 2 | 4* | goal reached"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("\n\n\\* not at equal recall"), std::string::npos) << table;
  Json equal = result();
  equal["queries"][1]["points"][0]["recall"] = 0.89;
  EXPECT_EQ(targets_table({equal}).find('*'), std::string::npos) << targets_table({equal});
}

TEST(CompareReportTest, OpeningIsJudgedByTheNumberOfTheTable) {
  Json with = result();
  with["rows"] = 1000000;
  with["dimension"] = 384;
  const auto opened = [](double open_s) {
    return Json{{"open_seconds", open_s},
                {"own_bytes_per_vector", 600.0},
                {"resident_bytes_per_vector", 700.0},
                {"recall", 0.99},
                {"qps", 9000.0}};
  };
  with["store"] = {{"file_bytes", 1000000},
                   {"read_seconds", 0.2},
                   {"vectors_in_memory", opened(0.25)},
                   {"vectors_in_map", opened(0.3)}};
  // Of a build that loaded on after opening.
  with["store"]["vectors_in_memory"]["loaded_seconds"] = 1.2;
  const std::string tables = dataset_tables(with);
  EXPECT_NE(tables.find("| in memory | 1.200 | 6.00 |"), std::string::npos) << tables;
  EXPECT_NE(tables.find("| in the map | 0.300 | 1.50 |"), std::string::npos) << tables;
  const std::string table = targets_table({with});
  EXPECT_NE(table.find("vectors in memory | made | 1.5 | 3 | 6 | MISSED by 100 %"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("vectors in the map | made | 1.5 | 3 | 1.5 | goal reached"),
            std::string::npos)
      << table;
}

TEST(CompareReportTest, GrowthIsWhatTheEngineTakesAlone) {
  Json with = result();
  with["inserts"][1]["alone_p50_us"] = 150.0;
  with["small_inserts"] = {{"rows", 10000}, {"p50_us", 75.0}};
  const std::string table = targets_table({with});
  EXPECT_NE(
      table.find("growth of the insert cost from 10000 to 60000 vectors | made | 2 | 2.5 | 2 "),
      std::string::npos)
      << table;
}

TEST(CompareReportTest, TablesSayHowFarGraphsDiffer) {
  Json with = result();
  with["builds"][0]["recalls"] = {0.94, 0.95, 0.9551};
  EXPECT_NE(dataset_tables(with).find("0.9500 (3 graphs: 0.9400 to 0.9551)"), std::string::npos);
}

TEST(CompareReportTest, TablesNameWhatIsNotReached) {
  const std::string tables = dataset_tables(result());
  EXPECT_NE(tables.find("### made: 60,000 x 300"), std::string::npos);
  EXPECT_NE(tables.find("not reached"), std::string::npos);
  EXPECT_NE(tables.find("2,000*"), std::string::npos);
}

TEST(CompareReportTest, DurableBatchesAreJudgedBesideOneCommit) {
  Json with = result();
  with["durable"] = {{"batch_rows", 100},
                     {"memory_batch_us", 6000.0},
                     {"durable_batch_us", 20000.0},
                     {"commit_us", 4000.0},
                     {"singles_per_s_one_thread", 100.0},
                     {"writers", 8},
                     {"singles_per_s_writers", 500.0}};
  const std::string table = targets_table({with});
  EXPECT_NE(table.find("| 1.5 | 1.5 | 2 | MISSED by 33 %"), std::string::npos) << table;
  EXPECT_NE(table.find("| 4 | 4 | 5 | goal reached"), std::string::npos) << table;
  EXPECT_NE(dataset_tables(with).find("a batch of 100 in 20.0 ms"), std::string::npos);
}

Json live_line(const char* engine, const char* phase, double p50, double ratio, double recall) {
  return {{"engine", engine},      {"phase", phase},     {"p50_us", p50},
          {"p50_x", ratio},        {"p99_us", 2 * p50},  {"p99_x", 2 * ratio},
          {"cpu_p50_us", p50 - 1}, {"cpu_p50_x", ratio}, {"cpu_p99_us", 2 * p50 - 1},
          {"cpu_p99_x", ratio},    {"qps", 1e6 / p50},   {"qps_x", 1 / ratio},
          {"recall", recall},      {"searches", 12000},  {"short_answers", 0}};
}

Json live() {
  Json lines = {live_line("vicinal", "idle", 40, 1.0, 0.9),
                live_line("hnswlib-mutex", "idle", 100, 1.01, 0.9),
                live_line("vicinal", "deleted_5", 42, 1.05, 0.91),
                live_line("vicinal", "deleted_20", 48, 1.2, 0.92),
                live_line("vicinal", "writer", 44, 1.1, 0.89),
                live_line("hnswlib-mutex", "writer", 1234, 12.3, 0.88)};
  lines[4]["inserts_per_s"] = 8765.4;
  lines[5]["inserts_per_s"] = 50.0;
  lines[5]["short_answers"] = 3;
  return {{"rows", 40000}, {"rows_to_insert", 20000}, {"k", 10},
          {"ef", 80},      {"seconds", 2.5},          {"lines", lines}};
}

TEST(CompareReportTest, NothingInMotionIsNoSection) {
  EXPECT_EQ(live_section({}), "");
  EXPECT_EQ(live_section({result()}), "");
}

TEST(CompareReportTest, MotionIsOneTableOfAllData) {
  Json one = result();
  one["live"] = live();
  Json other = {{"dataset", "other"}, {"rows", 60000}, {"dimension", 300}, {"live", live()}};
  const std::string text = live_section({one, result(), other});
  EXPECT_EQ(text.find("## In motion\n"), 0u);
  for (const char* data : {"made", "other"}) {
    const std::string row = std::string("| ") + data +
                            " | vicinal int8 | 40.0 (1.00) | 80.0 (2.00) | 25,000 (1.00) | 0.9000 "
                            "| 42.0 (1.05) | 84.0 (2.10) | 0.9100 | 48.0 (1.20) | 96.0 (2.40) | "
                            "0.9200 | 44.0 (1.10) | 43.0 (1.10) | 88.0 (2.20) | 87.0 (1.10) | "
                            "22,727 (0.91) | 0.8900 | 8,765 |\n";
    EXPECT_NE(text.find(row), std::string::npos) << text;
    EXPECT_NE(text.find(std::string("\n") + data + ": 40,000 rows, up to 20,000 more inserted"),
              std::string::npos)
        << text;
  }
  // One table: its head stands once, its lines follow each other.
  EXPECT_EQ(text.find("| data |"), text.rfind("| data |"));
  EXPECT_NE(text.find("|\n| other | vicinal int8"), std::string::npos) << text;
}

TEST(CompareReportTest, MotionLeavesOutWhatWasNotMeasuredAndTellsShortAnswers) {
  Json with = result();
  with["live"] = live();
  const std::string text = live_section({with});
  EXPECT_NE(text.find("| made | hnswlib 0.6.2, shared mutex | 100 (1.01) | 200 (2.02) | 10,000 "
                      "(0.99) | 0.9000 | | | | | | | 1,234 (12.30) |"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("Short answers of hnswlib 0.6.2, shared mutex, writer: 3 of 12,000."),
            std::string::npos)
      << text;
}

TEST(CompareReportTest, MotionSaysWhatItsMediansAre) {
  Json with = result();
  with["live"] = live();
  // Results of before took the upper.
  EXPECT_NE(live_section({with}).find("the median is the upper of the middle two."),
            std::string::npos);
  with["live"]["even_medians"] = "the mean of the middle two";
  EXPECT_NE(live_section({with}).find("the median is the mean of the middle two."),
            std::string::npos);
}

TEST(CompareReportTest, MotionChangesNoOtherTable) {
  Json with = result();
  with["live"] = live();
  EXPECT_EQ(dataset_tables(with), dataset_tables(result()));
  EXPECT_EQ(targets_table({with}), targets_table({result()}));
}

}  // namespace
}  // namespace vicinal::bench
