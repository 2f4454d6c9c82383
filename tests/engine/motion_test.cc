// In motion: what searches and looks promise beside writers, and calls made from callbacks.
#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "tests/engine/engine_testing.h"
#include "tests/for_sanitizer.h"

namespace vicinal::testing {
namespace {

IndexOptions motion_options(double repair_share = 0.2) {
  IndexOptions options = small_options();
  options.threads = 1;
  options.repair_share = repair_share;
  return options;
}

Index filled_for_motion(std::size_t count, double repair_share = 0.2) {
  Index index = *Index::in_memory(motion_options(repair_share));
  const std::vector<Label> labels = labels_up_to(count);
  if (!index.upsert_batch(labels, matrix_of(labels)).ok()) std::abort();
  return index;
}

/// Calls `look(round)` over and over beside `write`, and once more after it.
void beside(const std::function<void()>& write, const std::function<void(std::uint64_t)>& look) {
  std::atomic<bool> done{false};
  std::jthread writer([&] {
    write();
    done = true;
  });
  std::uint64_t round = 0;
  while (!done.load()) look(round++);
  writer.join();
  look(round);
}

/// The live labels' own vectors are found, and never fewer than min(k, live), beside a batch.
void search_beside_batch(std::size_t live, std::size_t batch, bool one_erased) {
  Index index = filled_for_motion(live, 0);
  if (one_erased) {
    ASSERT_OK(index.erase(0).status());
  }
  const std::vector<Label> labels = labels_up_to(batch, 1'000'000);
  const std::vector<float> rows = matrix_of(labels);
  std::uint64_t short_answers = 0;
  std::uint64_t not_first = 0;
  std::uint64_t searches = 0;
  beside([&] { ASSERT_OK(index.upsert_batch(labels, rows).status()); },
         [&](std::uint64_t round) {
           const Label own = 1 + round % (live - 1);
           const SearchResult found = *index.search(vector_of(own), {.k = 10, .ef_search = 100});
           ++searches;
           short_answers += found.size() < std::min<std::size_t>(10, live - 1) ? 1 : 0;
           not_first += found.empty() || found[0].label != own ? 1 : 0;
           const SearchResult near = *index.search_radius(vector_of(own), 1e-4F, {});
           not_first += near.empty() || near[0].label != own ? 1 : 0;
         });
  EXPECT_EQ(short_answers, 0u) << "of " << searches;
  EXPECT_LE(not_first, searches / 50) << "of " << searches << ": a walk is approximate";
  // Where fewer than k are live a search that others come beside compares with all of them.
  if (live > 100) {
    EXPECT_EQ(index.stats().fallback_scans, 0u);
  }
  expect_sound(index);
}

TEST(Motion, SearchBesideABatchTenTimesTheIndex) { search_beside_batch(500, 5000, false); }
TEST(Motion, SearchBesideABatchTenTimesTheIndexWithATombstone) {
  search_beside_batch(500, 5000, true);
}
TEST(Motion, SearchBesideABatchAQuarterOfTheIndex) { search_beside_batch(4000, 1000, false); }
TEST(Motion, SearchBesideABatchOfOneStep) { search_beside_batch(4000, 500, false); }
TEST(Motion, SearchBesideABatchIntoAlmostNothing) { search_beside_batch(5, 3000, false); }

// E12: a label that is only being updated is there all the time, to every look.
TEST(Motion, ALabelBeingUpdatedIsFoundByEveryLook) {
  Index index = filled_for_motion(300);
  constexpr Label kMoving = 7;
  std::uint64_t missed = 0;
  beside(
      [&] {
        for (std::uint64_t generation = 1; generation < 600; ++generation) {
          ASSERT_OK(index.upsert(kMoving, vector_of(kMoving, generation)).status());
        }
      },
      [&](std::uint64_t) {
        missed += index.contains(kMoving) ? 0 : 1;
        missed += index.get(kMoving).ok() ? 0 : 1;
        missed += index.node(kMoving).ok() ? 0 : 1;
        SearchOptions only{.k = 2};
        only.filter = Filter::among(LabelSet(std::vector<Label>{kMoving}));
        missed += index.search(vector_of(3), only)->size() == 1 ? 0 : 1;
        missed += index.search(vector_of(3), {.k = 400, .exact = true})->size() == 300 ? 0 : 1;
      });
  EXPECT_EQ(missed, 0u);
}

TEST(Motion, ForEachVisitsWhatIsLiveAllTheTimeOnce) {
  Index index = filled_for_motion(2000, 0);
  ASSERT_OK(index.erase_batch(labels_up_to(50)).status());
  ASSERT_OK(index.repair().status());  // low slots are free for what is updated
  std::map<Label, int> visits;
  Label next = 1000;
  ASSERT_OK(index.for_each([&](Label label, std::span<const float> row) {
    ++visits[label];
    EXPECT_EQ(row.size(), kDimension);
    // Updates of labels that were visited and of labels that were not, and new ones.
    for (int i = 0; i < 3; ++i, ++next) {
      EXPECT_TRUE(index.upsert(next % 2000 < 50 ? 60 : next % 2000, vector_of(next, 3)).ok());
    }
    if (label % 100 == 0) {
      EXPECT_TRUE(index.upsert(100'000 + label, vector_of(label, 9)).ok());
    }
    return true;
  }));
  for (Label label = 50; label < 2000; ++label) ASSERT_EQ(visits[label], 1) << label;
}

// Slices that only condemn, or only retire, are work too: a whole repair finishes.
// Writers that link what waited for it are no rebuild: nobody is told that one runs.
TEST(Motion, ARebuildBesideWritersOfAnIndexThatGrewIsDone) {
  for (int round = 0; round < 20; ++round) {
    Index index = *Index::in_memory(flat_options());
    const std::vector<Label> labels = labels_up_to(490);
    ASSERT_OK(index.upsert_batch(labels, matrix_of(labels)).status());
    std::atomic<bool> over{false};
    std::thread writer([&] {
      for (Label label = 490; label < 700; ++label) {
        EXPECT_TRUE(index.upsert(label, vector_of(label)).ok());
      }
      over = true;
    });
    Status rebuilt;
    while (!over && rebuilt.ok()) rebuilt = index.rebuild();
    writer.join();
    ASSERT_OK(rebuilt);
    EXPECT_EQ(index.size(), 700u);
    expect_sound(index);
  }
}

TEST(Motion, RepairOfManyTombstonesFinishes) {
  Index index = filled_for_motion(12'000, 0);
  ASSERT_OK(index.erase_batch(labels_up_to(6'000)).status());
  const Result<RepairResult> repaired = index.repair();
  ASSERT_OK(repaired.status());
  EXPECT_TRUE(repaired->finished);
  EXPECT_EQ(repaired->slots_freed, 6'000u);
  EXPECT_EQ(index.stats().tombstones, 0u);
  expect_sound(index);
}

TEST(Callbacks, AFilterMayWrite) {
  for (const std::size_t count : {std::size_t{40}, for_sanitizer(3000)}) {
    Index index = filled_for_motion(count);
    Label next = 0;
    std::uint64_t refused = 0;
    SearchOptions options{.k = 10};
    options.filter = Filter::by([&](Label) {
      refused += index.erase(next).ok() ? 0 : 1;
      refused += index.upsert(next + 1'000'000, vector_of(next, 1)).ok() ? 0 : 1;
      refused += index.upsert((next + 5) % count, vector_of(next, 2)).ok() ? 0 : 1;
      const std::vector<Label> pair = {next + 2'000'000, next + 3'000'000};
      refused += index.upsert_batch(pair, matrix_of(pair)).ok() ? 0 : 1;
      refused += index.search(vector_of(next), {.k = 3})->size() == 3 ? 0 : 1;
      if (++next % 64 == 0) refused += index.rebuild().ok() ? 0 : 1;
      return true;
    });
    for (int search = 0; search < 3; ++search) {
      const Result<SearchResult> found = index.search(vector_of(11), options);
      ASSERT_OK(found.status());
      EXPECT_EQ(found->size(), 10u);
      std::set<Label> distinct;
      for (const Hit& hit : *found) distinct.insert(hit.label);
      EXPECT_EQ(distinct.size(), 10u) << "one moment, whatever the filter did to it";
    }
    EXPECT_EQ(refused, 0u);
    EXPECT_GT(next, 10u);
    ASSERT_OK(index.repair().status());
    expect_sound(index);
  }
}

// One moment: what its own filter erases, and has rebuilt away, is still an answer of this search.
void erase_and_rebuild_in_a_filter(Index index) {
  const std::vector<Label> labels = labels_up_to(600);
  ASSERT_OK(
      index.upsert_batch(std::span(labels).first(300), matrix_of(std::span(labels).first(300)))
          .status());
  for (Label label = 300; label < 600; ++label) {
    ASSERT_OK(index.upsert(label, vector_of(label)).status());
  }
  for (const bool exact : {false, true}) {
    for (const Label wanted : {Label{7}, Label{450}}) {
      bool done = false;
      SearchOptions options{.k = 5, .ef_search = 100, .exact = exact};
      options.filter = Filter::by([&](Label) {
        if (std::exchange(done, true)) return true;
        EXPECT_EQ(*index.erase(wanted), EraseOutcome::kErased);
        EXPECT_TRUE(index.rebuild().ok());
        EXPECT_FALSE(index.contains(wanted));
        return true;
      });
      const Result<SearchResult> found = index.search(vector_of(wanted), options);
      ASSERT_OK(found.status());
      ASSERT_EQ(found->size(), 5u);
      EXPECT_EQ((*found)[0].label, wanted);
      ASSERT_OK(index.upsert(wanted, vector_of(wanted)).status());
    }
  }
  ASSERT_OK(index.repair().status());
  EXPECT_EQ(index.stats().tombstones, 0u);
  expect_sound(index);
}
TEST(Callbacks, AFilterThatErasesAndRebuildsSeesOneMoment) {
  erase_and_rebuild_in_a_filter(*Index::in_memory(motion_options(0)));
}
TEST(Callbacks, AFilterThatErasesAndRebuildsSeesOneMomentOfVectorsInTheFile) {
  TemporaryFolder folder;
  auto store = Store::open(folder.file("store"), quick_store());
  ASSERT_TRUE(store.ok());
  IndexOptions options = motion_options(0);
  options.vectors_in_memory = false;
  erase_and_rebuild_in_a_filter(*store->index("text", options));
}

// A whole repair waits for the searches of before, and this one waits for it.
TEST(Callbacks, AWholeRepairInAFilterIsRefused) {
  Index index = filled_for_motion(500, 0);
  ASSERT_OK(index.erase_batch(labels_up_to(100)).status());
  StatusCode seen = StatusCode::kOk;
  SearchOptions options{.k = 10};
  options.filter = Filter::by([&](Label) {
    if (const Result<RepairResult> repaired = index.repair(); !repaired.ok()) {
      seen = repaired.status().code();
    }
    return true;
  });
  ASSERT_OK(index.search(vector_of(200), options).status());
  EXPECT_EQ(seen, StatusCode::kBusy);
  EXPECT_TRUE(index.repair()->finished);
  expect_sound(index);
}

// E1: who holds labels is refused those that he would wait for.
TEST(Callbacks, TheProgressOfABatchMayWriteOtherLabels) {
  Index index = filled_for_motion(600);
  const std::vector<Label> labels = labels_up_to(500, 300);
  bool told = false;
  BatchOptions options;
  options.progress = [&](const Progress& progress) {
    if (std::string(progress.phase) != "links" || told) return true;
    told = true;
    EXPECT_TRUE(index.upsert(5, vector_of(5, 1)).ok());
    EXPECT_CODE(index.upsert(400, vector_of(400, 2)).status(), kBusy, "written by another call");
    EXPECT_CODE(index.erase(400).status(), kBusy, "written by another call");
    EXPECT_CODE(index.erase_batch(labels).status(), kBusy, "written by another call");
    EXPECT_CODE(index.upsert_batch(labels, matrix_of(labels, 3)).status(), kBusy, "another call");
    EXPECT_EQ(index.search(vector_of(5, 1), {.k = 1})->hits[0].label, 5u);
    return true;
  };
  ASSERT_OK(index.upsert_batch(labels, matrix_of(labels, 1), options).status());
  EXPECT_TRUE(told);
  EXPECT_EQ(*index.get(400), vector_of(400, 1));
  expect_sound(index);
}

// E9
TEST(Callbacks, TheProgressOfMaintenanceMayWriteButNotMaintain) {
  TemporaryFolder folder;
  auto store = Store::open(folder.file("store"), quick_store());
  ASSERT_TRUE(store.ok());
  Index index = *store->index("text", motion_options(0.05));
  const std::vector<Label> labels = labels_up_to(800);
  ASSERT_OK(index.upsert_batch(labels, matrix_of(labels)).status());
  ASSERT_OK(index.erase_batch(labels_up_to(300)).status());
  int told = 0;
  Label next = 10'000;
  BatchOptions options;
  options.progress = [&](const Progress&) {
    ++told;
    EXPECT_TRUE(index.upsert(next, vector_of(next)).ok());
    ++next;
    EXPECT_TRUE(index.contains(next - 1));
    return true;
  };
  const ProgressCallback writes = options.progress;
  const auto refuses = [&](const std::function<Status()>& call) {
    const auto write = options.progress;
    options.progress = [call, write](const Progress& p) {
      EXPECT_CODE(call(), kBusy, "");
      return write(p);
    };
  };
  refuses([&] { return index.rebuild(); });
  refuses([&] { return index.repair().status(); });
  ASSERT_OK(index.rebuild(options));
  ASSERT_OK(index.erase_batch(labels_up_to(100, 400)).status());
  ASSERT_OK(index.repair({.slice = 0, .progress = writes}).status());
  options.progress = [&](const Progress&) {
    ++told;
    EXPECT_TRUE(index.upsert(next, vector_of(next)).ok());
    ++next;
    EXPECT_CODE(index.checkpoint(), kBusy, "callback");
    return true;
  };
  ASSERT_OK(index.checkpoint(options.progress));
  EXPECT_GT(told, 2);
  expect_sound(index, true);
}

// E7
TEST(Callbacks, WhatACallIsInsideIsNotClosed) {
  TemporaryFolder folder;
  auto store = Store::open(folder.file("store"), quick_store());
  ASSERT_TRUE(store.ok());
  // Without repair, which would write to the journal that is walked.
  const IndexOptions options = motion_options(0);
  Index index = *store->index("text", options);
  const std::vector<Label> labels = labels_up_to(20);
  ASSERT_OK(index.upsert_batch(labels, matrix_of(labels)).status());
  int visits = 0;
  ASSERT_OK(index.for_each([&](Label label, std::span<const float>) {
    ++visits;
    EXPECT_CODE(store->close(), kBusy, "callback");
    EXPECT_CODE(store->drop_index("text"), kBusy, "callback");
    EXPECT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
    return true;
  }));
  EXPECT_EQ(visits, 20);
  visits = 0;
  ASSERT_OK(store->for_each_journal_entry("text", [&](const std::string&) {
    EXPECT_TRUE(index.upsert(100 + visits, vector_of(1)).ok());
    EXPECT_TRUE(store->index_names().ok());
    EXPECT_TRUE(store->index("text", options).ok());
    EXPECT_CODE(store->close(), kBusy, "callback");
    ++visits;
    return true;
  }));
  EXPECT_EQ(visits, 21) << "what was there when it began";
  ASSERT_OK(store->close());
}

// The answers of a set of any size, and of a predicate that says the same, are as good as those of
// an exact search; a set is prepared once and serves many threads.
TEST(LabelSets, OfEverySizeFindWhatAnExactSearchFinds) {
  Index index = filled_for_motion(4000);
  std::vector<float> queries;
  for (Label label = 9000; label < 9040; ++label) {
    const std::vector<float> query = vector_of(label);
    queries.insert(queries.end(), query.begin(), query.end());
  }
  for (const std::size_t size : {0u, 1u, 5u, 40u, 200u, 1000u, 3000u, 3999u, 4000u}) {
    const std::vector<Label> labels = labels_up_to(size, 4000 - size);
    const LabelSet set(labels);
    for (const bool inverted : {false, true}) {
      SearchOptions walk{.k = 10, .ef_search = 100};
      walk.filter = Filter::among(inverted ? ~set : set);
      SearchOptions exact = walk;
      exact.exact = true;
      const std::vector<SearchResult> got = *index.search_batch(queries, walk, 2);
      const std::vector<SearchResult> wanted = *index.search_batch(queries, exact, 2);
      std::size_t found = 0;
      std::size_t all = 0;
      for (std::size_t q = 0; q < got.size(); ++q) {
        const std::size_t passing = inverted ? 4000 - size : size;
        ASSERT_EQ(wanted[q].size(), std::min<std::size_t>(10, passing));
        ASSERT_EQ(got[q].size(), wanted[q].size());
        all += wanted[q].size();
        for (const Hit& hit : got[q]) {
          ASSERT_NE(set.contains(hit.label), inverted);
          found += static_cast<std::size_t>(std::count(wanted[q].begin(), wanted[q].end(), hit));
        }
      }
      EXPECT_GE(static_cast<double>(found), 0.97 * static_cast<double>(all))
          << size << (inverted ? " inverted" : "");
    }
  }
}

}  // namespace
}  // namespace vicinal::testing
