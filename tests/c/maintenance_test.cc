// Keeping an index well through the C ABI; callbacks that cancel; its numbers.
#include <cstring>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

struct Told {
  int calls = 0;
  bool go_on = true;
  std::string phase;
  std::uint64_t total = 0;
};

bool tell(void* context, const vicinal_progress* progress) {
  Told& told = *static_cast<Told*>(context);
  ++told.calls;
  EXPECT_EQ(progress->size, sizeof *progress);
  EXPECT_LE(progress->done, progress->total);
  told.phase = progress->phase;
  told.total = progress->total;
  return told.go_on;
}

std::uint64_t tombstones_of(const vicinal_index* index) {
  vicinal_stats stats;
  EXPECT_C_OK(vicinal_stats_init(&stats, sizeof stats));
  EXPECT_C_OK(vicinal_index_stats(index, &stats));
  return stats.tombstones;
}

TEST(CProgress, ABatchTellsAndCancels) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 50);
  const std::vector<Label> labels = labels_up_to(2000);
  const std::vector<float> rows = matrix_of(labels, 1);
  Told told;
  told.go_on = false;
  INITIALISED(batch_options, options);
  options.progress = tell;
  options.progress_context = &told;
  INITIALISED(batch_result, result);
  result.inserted = 4711;
  const auto upsert = [&] {
    return vicinal_index_upsert_batch(index.get(), labels.data(), rows.data(), labels.size(),
                                      kDimension, &options, &result);
  };
  EXPECT_C(upsert(), VICINAL_CANCELLED, "of 2000 vectors were linked");
  EXPECT_EQ(result.inserted, 4711u);
  EXPECT_EQ(told.calls, 1);
  EXPECT_LT(size_of(index.get()), 2000u);
  told.go_on = true;
  ASSERT_C_OK(upsert());
  EXPECT_GT(told.calls, 1);
  EXPECT_FALSE(told.phase.empty());
  EXPECT_GT(told.total, 0u);
  EXPECT_EQ(size_of(index.get()), 2000u);
}

TEST(CRebuild, LeavesOnlyTheLiveAndCanBeCancelled) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 1000);
  const std::vector<Label> gone = labels_up_to(150);
  ASSERT_C_OK(vicinal_index_erase_batch(index.get(), gone.data(), gone.size(), nullptr));
  ASSERT_EQ(tombstones_of(index.get()), 150u);
  Told told;
  told.go_on = false;
  INITIALISED(batch_options, options);
  options.progress = tell;
  options.progress_context = &told;
  EXPECT_C(vicinal_index_rebuild(index.get(), &options), VICINAL_CANCELLED, "");
  EXPECT_EQ(tombstones_of(index.get()), 150u);
  ASSERT_C_OK(vicinal_index_rebuild(index.get(), nullptr));
  EXPECT_EQ(tombstones_of(index.get()), 0u);
  options.progress = nullptr;
  options.threads = 4097;
  EXPECT_C(vicinal_index_rebuild(index.get(), &options), VICINAL_INVALID_ARGUMENT, "threads 4097");
}

TEST(CRepair, GoesInSlicesCancelsAndFinishes) {
  vicinal_index_options made = small_c_options();
  made.repair_share = 0;
  const Handle<vicinal_index> index = c_index(made);
  fill(index.get(), 1000);
  const std::vector<Label> gone = labels_up_to(300);
  ASSERT_C_OK(vicinal_index_erase_batch(index.get(), gone.data(), gone.size(), nullptr));
  Told told;
  told.go_on = false;
  INITIALISED(repair_options, options);
  INITIALISED(repair_result, result);
  options.progress = tell;
  options.progress_context = &told;
  EXPECT_C(vicinal_index_repair(index.get(), &options, &result), VICINAL_CANCELLED, "");
  options.progress = nullptr;
  options.slice = 64;
  ASSERT_C_OK(vicinal_index_repair(index.get(), &options, &result));
  EXPECT_GT(result.nodes_examined, 0u);
  EXPECT_EQ(result.finished, 0u);
  ASSERT_C_OK(vicinal_index_repair(index.get(), nullptr, &result));
  EXPECT_EQ(result.finished, 1u);
  EXPECT_GT(result.nodes_relinked, 0u);
  EXPECT_EQ(tombstones_of(index.get()), 0u);
  EXPECT_C_OK(vicinal_index_repair(index.get(), nullptr, nullptr));
}

bool never(void* context, const char*) {
  ++*static_cast<int*>(context);
  return true;
}

TEST(CValidate, ASoundIndexHasNoProblems) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 1000);
  ASSERT_C_OK(vicinal_index_erase(index.get(), 3, nullptr));
  INITIALISED(validate_options, options);
  INITIALISED(validate_report, report);
  int messages = 0;
  Told told;
  options.deep = 1;
  options.on_message = never;
  options.message_context = &messages;
  options.progress = tell;
  options.progress_context = &told;
  ASSERT_C_OK(vicinal_index_validate(index.get(), &options, &report));
  EXPECT_EQ(report.problems, 0u);
  EXPECT_EQ(messages, 0);
  EXPECT_GT(told.calls, 0);
  EXPECT_EQ(report.live, 999u);
  EXPECT_EQ(report.tombstones, 1u);
  std::uint64_t nodes = 0;
  for (const std::uint64_t count : report.degree_histogram) nodes += count;
  EXPECT_EQ(nodes, 1000u);
  nodes = 0;
  for (const std::uint64_t count : report.nodes_by_level) nodes += count;
  EXPECT_EQ(nodes, 1000u);
  told.go_on = false;
  EXPECT_C(vicinal_index_validate(index.get(), &options, &report), VICINAL_CANCELLED, "");
  EXPECT_C_OK(vicinal_index_validate(index.get(), nullptr, nullptr));
}

TEST(CRecall, IsMeasured) {
  const Handle<vicinal_index> index = c_index();
  double recall = 0;
  ASSERT_C_OK(vicinal_index_recall(index.get(), nullptr, &recall));
  EXPECT_EQ(recall, 1);
  fill(index.get(), 2000);
  INITIALISED(recall_options, options);
  options.samples = 50;
  options.ef_search = 200;
  options.threads = 1;
  recall = 0;
  ASSERT_C_OK(vicinal_index_recall(index.get(), &options, &recall));
  EXPECT_GT(recall, 0.9);
  EXPECT_LE(recall, 1);
  options.ef_search = 100001;
  EXPECT_C(vicinal_index_recall(index.get(), &options, &recall), VICINAL_INVALID_ARGUMENT,
           "ef_search 100001");
}

TEST(CStats, AreThoseOfTheCppApi) {
  const Index cpp = filled(1500);
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 1500);
  const Stats expected = cpp.stats();
  INITIALISED(stats, stats);
  ASSERT_C_OK(vicinal_index_stats(index.get(), &stats));
  EXPECT_STREQ(stats.name, "");
  EXPECT_STREQ(stats.target, expected.target.c_str());
  EXPECT_STREQ(stats.background_error, "");
  EXPECT_EQ(stats.live, 1500u);
  EXPECT_EQ(stats.levels, expected.levels);
  for (std::size_t level = 0; level < expected.levels; ++level) {
    EXPECT_EQ(stats.nodes_by_level[level], expected.nodes_by_level[level]) << level;
    EXPECT_EQ(stats.links_by_level[level], expected.links_by_level[level]) << level;
  }
  EXPECT_EQ(stats.nodes_by_level[expected.levels], 0u);
  EXPECT_EQ(stats.bytes_vectors, expected.bytes_vectors);
  EXPECT_EQ(stats.bytes_codes, expected.bytes_codes);
  EXPECT_EQ(stats.bytes_in_memory, stats.bytes_vectors + stats.bytes_codes + stats.bytes_links +
                                       stats.bytes_nodes + stats.bytes_labels +
                                       stats.bytes_scratch);
  EXPECT_EQ(stats.checkpoint_age_s, expected.checkpoint_age_s);
  EXPECT_EQ(stats.background_error_age_s, -1);
}

}  // namespace
}  // namespace vicinal::testing
