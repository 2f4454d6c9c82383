// Progress: of every call that tells it, as options.h says.
#include "engine/progress.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

using std::chrono::steady_clock;

struct Told {
  std::string phase;
  std::uint64_t done;
  std::uint64_t total;
};

/// What `call` tells, checked.
void expect_good_progress(const std::string& name,
                          const std::function<Status(const ProgressCallback&)>& call,
                          std::uint64_t least_total) {
  SCOPED_TRACE(name);
  std::vector<Told> told;
  const auto start = steady_clock::now();
  ASSERT_OK(call([&](const Progress& p) {
    told.push_back({p.phase, p.done, p.total});
    return true;
  }));
  const auto took = steady_clock::now() - start;
  ASSERT_FALSE(told.empty());
  std::size_t phases = 0;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const Told& now = told[i];
    EXPECT_LE(now.done, now.total) << i;
    const bool first = i == 0 || told[i - 1].phase != now.phase;
    phases += first ? 1 : 0;
    if (!first) {
      EXPECT_GE(now.done, told[i - 1].done) << i;
      EXPECT_GE(now.total, told[i - 1].total) << i;
    }
    if (i + 1 == told.size() || told[i + 1].phase != now.phase) {
      EXPECT_EQ(now.done, now.total) << now.phase << " ends before all is done";
    }
  }
  EXPECT_GE(told.back().total, least_total);
  // The first and the last of a phase, and five a second between them.
  EXPECT_LE(told.size(),
            2 * phases + static_cast<std::size_t>(took / std::chrono::milliseconds(200)))
      << "told too often";
}

TEST(Progress, OfEveryCallIsMonotoneBoundedThrottledAndEndsWithAll) {
  constexpr std::size_t kRows = 6000;
  TemporaryFolder folder;
  StoreOptions store_options = quick_store();
  store_options.background = false;
  IndexOptions options = small_options();
  options.repair_share = 0;
  Store store = *Store::open(folder.file("s"), store_options);
  Index index = *store.index("text", options);
  const std::vector<Label> labels = labels_up_to(kRows);
  const std::vector<float> rows = matrix_of(labels);
  const auto checkpoint = [&](const ProgressCallback& p) { return index.checkpoint(p); };
  expect_good_progress(
      "batch",
      [&](const ProgressCallback& p) {
        BatchOptions batch;
        batch.progress = p;
        return index.upsert_batch(labels, rows, batch).status();
      },
      kRows);
  expect_good_progress("checkpoint of all", checkpoint, kRows);
  // Scattered over the chunks, and beside tombstones.
  std::vector<Label> third;
  for (Label label = 0; label < kRows; label += 3) third.push_back(label);
  ASSERT_OK(index.upsert_batch(third, matrix_of(third, 1)).status());
  ASSERT_OK(index.erase_batch(labels_up_to(kRows / 3)).status());
  expect_good_progress("checkpoint of some", checkpoint, 1);
  expect_good_progress(
      "repair",
      [&](const ProgressCallback& p) {
        RepairOptions repair;
        repair.progress = p;
        return index.repair(repair).status();
      },
      kRows);
  expect_good_progress(
      "rebuild",
      [&](const ProgressCallback& p) {
        BatchOptions batch;
        batch.progress = p;
        return index.rebuild(batch);
      },
      kRows / 3);
  expect_good_progress(
      "validate",
      [&](const ProgressCallback& p) {
        ValidateOptions validate;
        validate.progress = p;
        return index.validate(validate).status();
      },
      kRows / 3);
  ASSERT_OK(index.upsert_batch(third, matrix_of(third, 2)).status());
  const std::string copy = folder.file("copy");
  ASSERT_OK(store.backup(copy));  // with what is not checkpointed
  Store second = *Store::open(copy, store_options);
  expect_good_progress(
      "opening",
      [&](const ProgressCallback& p) {
        IndexOptions opening = options;
        opening.progress = p;
        return second.index("text", opening).status();
      },
      third.size());
}

// A graph that is flat tells the same.
TEST(Progress, OfAFlatIndex) {
  Index index = *Index::in_memory(flat_options());
  const std::vector<Label> labels = labels_up_to(100);
  const std::vector<float> rows = matrix_of(labels);
  expect_good_progress(
      "batch",
      [&](const ProgressCallback& p) {
        BatchOptions batch;
        batch.progress = p;
        return index.upsert_batch(labels, rows, batch).status();
      },
      100);
  ASSERT_OK(index.erase_batch(labels_up_to(30)).status());
  expect_good_progress(
      "repair",
      [&](const ProgressCallback& p) {
        RepairOptions repair;
        repair.progress = p;
        return index.repair(repair).status();
      },
      70);
  expect_good_progress(
      "rebuild",
      [&](const ProgressCallback& p) {
        BatchOptions batch;
        batch.progress = p;
        return index.rebuild(batch);
      },
      70);
}

// Reports that run past their total, fall, and come in parts.
TEST(Progress, OfAnythingThatIsReportedIsMonotoneAndBounded) {
  expect_good_progress(
      "reporter",
      [&](const ProgressCallback& p) {
        engine::Reporter reporter(p, "x");
        for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(reporter(3 * i, 1000));
        EXPECT_TRUE(reporter(7, 10));
        EXPECT_TRUE(reporter.part("a", 0, 50));
        EXPECT_TRUE(reporter.part("b", 20, 20));
        reporter.finish();
        reporter.finish();
        return Status();
      },
      2997 + 50 + 20);
}

// It may not be asked again, nor told that all is done.
TEST(Progress, OfWhatWasCancelledEnds) {
  int calls = 0;
  engine::Reporter reporter([&](const Progress&) { return ++calls > 1; }, "x");
  EXPECT_FALSE(reporter(0, 10));
  EXPECT_FALSE(reporter(10, 10));
  reporter.finish();
  EXPECT_TRUE(reporter.cancelled());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace vicinal::testing
