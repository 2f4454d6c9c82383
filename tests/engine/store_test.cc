// The Store: reopening, options that disagree, closed and read-only handles, backup, rows on disk.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "persist/failpoints.h"
#include "tests/child.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

std::vector<SearchResult> answers(const Index& index) {
  std::vector<SearchResult> all;
  for (Label label = 9000; label < 9030; ++label) {
    all.push_back(*index.search(vector_of(label), {.k = 10}));
  }
  return all;
}

void expect_same(const std::vector<SearchResult>& a, const std::vector<SearchResult>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].hits, b[i].hits) << "query " << i;
}

class StoreTest : public ::testing::TestWithParam<bool> {
 protected:
  IndexOptions options() const {
    IndexOptions options = small_options();
    options.vectors_in_memory = GetParam();
    return options;
  }
  TemporaryFolder folder_;
};

TEST_P(StoreTest, ReopenedAnswersBitForBit) {
  const std::vector<Label> labels = labels_up_to(800);
  std::vector<SearchResult> before;
  {
    Store store = *Store::open(folder_.file("s"), quick_store());
    Index index = *store.index("text", options());
    ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
    for (Label label = 0; label < 100; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
    }
    for (Label label = 100; label < 150; ++label)
      ASSERT_EQ(*index.erase(label), EraseOutcome::kErased);
    before = answers(index);
    expect_sound(index, true);
    ASSERT_OK(store.close());
    EXPECT_CODE(index.search(vector_of(1)).status(), kClosed, "text");
    EXPECT_CODE(index.upsert(1, vector_of(1)).status(), kClosed, "text");
    EXPECT_CODE(index.get(1).status(), kClosed, "text");
    EXPECT_CODE(index.validate().status(), kClosed, "text");
    EXPECT_FALSE(index.contains(1));
    EXPECT_CODE(store.checkpoint(), kClosed, "");
  }
  Store store = *Store::open(folder_.file("s"), quick_store());
  Index index = *store.open_index("text", options());
  EXPECT_EQ(index.size(), 750u);
  EXPECT_EQ(index.stats().repaired_links, 0u);
  expect_same(before, answers(index));
  expect_sound(index, true);
  EXPECT_EQ(*index.get(5), vector_of(5, 1));
  EXPECT_EQ(*index.upsert(120, vector_of(120)), UpsertOutcome::kResurrected);
  const Result<RepairResult> repaired = index.repair();
  ASSERT_TRUE(repaired.ok()) << repaired.status().to_string();
  expect_sound(index, true);
  ASSERT_OK(index.checkpoint());
  expect_sound(index, true);
}

TEST_P(StoreTest, OptionsThatDisagreeNameBothValues) {
  Store store = *Store::open(folder_.file("s"), quick_store());
  ASSERT_TRUE(store.index("text", options()).ok());
  IndexOptions other = options();
  other.M = 32;
  EXPECT_CODE(store.index("text", other).status(), kInvalidArgument,
              "M 32 asked, index \"text\" has 8");
  other = options();
  other.dimension = 17;
  EXPECT_CODE(store.index("text", other).status(), kInvalidArgument, "dimension 17 asked");
  other = options();
  other.metric = Metric::kSquaredL2;
  EXPECT_CODE(store.index("text", other).status(), kInvalidArgument, "l2 asked");
  other.metric = Metric::kCosine;
  other.dimension = 0;
  EXPECT_TRUE(store.index("text", other).ok());
  EXPECT_CODE(store.index("new", other).status(), kInvalidArgument, "dimension 0");
  EXPECT_CODE(store.open_index("new").status(), kNotFound, "new");
  EXPECT_CODE(store.index("a/b", other).status(), kInvalidArgument, "a/b");
  EXPECT_CODE(store.index("", other).status(), kInvalidArgument, "0 bytes");
}

TEST_P(StoreTest, ReadOnlyAndBusyAndBackup) {
  const std::vector<Label> labels = labels_up_to(300);
  std::vector<SearchResult> before;
  {
    Store store = *Store::open(folder_.file("s"), quick_store());
    Index text = *store.index("text", options());
    Index image = *store.index("image", {.dimension = 3});
    ASSERT_TRUE(text.upsert_batch(labels, matrix_of(labels)).ok());
    ASSERT_TRUE(image.upsert(1, vector_of(1, 0, 3)).ok());
    EXPECT_CODE(Store::open(folder_.file("s"), quick_store()).status(), kBusy, "");
    before = answers(text);
    ASSERT_OK(store.backup(folder_.file("copy")));
    EXPECT_EQ(*store.index_names(), (std::vector<std::string>{"image", "text"}));
    EXPECT_EQ(*store.verify_records(), 0u);
    ASSERT_OK(store.drop_index("image"));
    EXPECT_CODE(image.upsert(1, vector_of(1, 0, 3)).status(), kClosed, "image");
  }
  Store copy = *Store::open(folder_.file("copy"), quick_store());
  expect_same(before, answers(*copy.open_index("text", options())));
  EXPECT_EQ(copy.open_index("image")->size(), 1u);

  StoreOptions reading = quick_store();
  reading.read_only = true;
  Store store = *Store::open(folder_.file("s"), reading);
  Index index = *store.open_index("text", options());
  expect_same(before, answers(index));
  EXPECT_CODE(index.upsert(1, vector_of(1)).status(), kReadOnly, "reading");
  EXPECT_CODE(index.erase(1).status(), kReadOnly, "reading");
  EXPECT_CODE(index.rebuild(), kReadOnly, "reading");
  EXPECT_CODE(index.repair().status(), kReadOnly, "reading");
  EXPECT_CODE(store.drop_index("text"), kReadOnly, "reading");
  ASSERT_OK(store.close());
}

TEST_P(StoreTest, CancelledBatchStaysTakenBack) {
  const std::vector<Label> labels = labels_up_to(500);
  std::uint64_t size = 0;
  {
    Store store = *Store::open(folder_.file("s"), quick_store());
    Index index = *store.index("text", options());
    ASSERT_TRUE(
        index.upsert_batch(std::span(labels).first(50), matrix_of(std::span(labels).first(50)))
            .ok());
    BatchOptions cancel;
    cancel.progress = [](const Progress&) { return false; };
    EXPECT_CODE(index.upsert_batch(labels, matrix_of(labels, 1), cancel).status(), kCancelled, "");
    size = index.size();
    expect_sound(index, true);
  }
  Store store = *Store::open(folder_.file("s"), quick_store());
  Index index = *store.open_index("text", options());
  EXPECT_EQ(index.size(), size);
  for (Label label = 0; label < 50; ++label) EXPECT_TRUE(index.contains(label)) << label;
  expect_sound(index, true);
}

// A checkpoint of the store's own thread fails: told, kept, tried again.
TEST(Events, AFailedBackgroundCheckpointIsToldAndTriedAgain) {
  TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Event> told;
  StoreOptions options = quick_store();
  options.checkpoint_bytes = 1;
  options.on_event = [&](const Event& event) {
    const std::lock_guard lock(mutex);
    told.push_back(event);
    changed.notify_all();
  };
  persist::failpoints::arm("checkpoint.after_links", persist::failpoints::Action::kFail);
  Store store = *Store::open(folder.file("s"), options);
  Index index = *store.index("text", small_options());
  ASSERT_OK(index.upsert(1, vector_of(1)).status());
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return told.size() >= 2; }));
    EXPECT_EQ(told[0].kind, EventKind::kCheckpointFailed);
    EXPECT_EQ(told[0].index, "text");
    EXPECT_EQ(told[0].value, 1u);
    EXPECT_EQ(told[1].kind, EventKind::kRecovered);
  }
  persist::failpoints::disarm();
  const Stats stats = index.stats();
  EXPECT_EQ(stats.background_failures, 0u);
  EXPECT_FALSE(stats.background_error.empty());
  EXPECT_GE(stats.background_error_age_s, 0);
  ASSERT_OK(store.close());
}

// The store's own thread is kept from repairing, as it is on a machine where many write: then they do.
TEST(Background, WritersRepairWhenItIsOutrun) {
  TemporaryFolder folder;
  std::promise<void> written;
  const std::shared_future<void> until_written = written.get_future().share();
  std::atomic<bool> kept{false};
  StoreOptions options = quick_store();
  options.map_bytes = 256 << 10;
  options.on_event = [&](const Event& event) {
    if (event.kind != EventKind::kFileGrown) return;
    kept = true;
    until_written.wait();
  };
  Store store = *Store::open(folder.file("s"), options);
  Index index = *store.index("text", small_options());
  constexpr Label kLabels = 100;
  constexpr std::uint64_t kRounds = 20;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    for (Label label = 0; label < kLabels; ++label) {
      // Not ASSERT: the thread is let go in any case.
      EXPECT_TRUE(index.upsert(label, vector_of(label, round)).ok()) << label;
    }
  }
  EXPECT_TRUE(kept);
  EXPECT_LT(index.stats().tombstones, kLabels * kRounds / 2);
  written.set_value();
  expect_sound(index);
}

/// With and without the store's own thread: then the writer tells.
class FileEvents : public ::testing::TestWithParam<bool> {};

TEST_P(FileEvents, AGrownMapAndANearlyFullFileAreTold) {
  TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<EventKind, Event> told;
  StoreOptions options = quick_store();
  options.map_bytes = 256 << 10;
  options.max_map_bytes = 2 << 20;
  options.background = GetParam();
  const std::thread::id writer = std::this_thread::get_id();
  options.on_event = [&](const Event& event) {
    const bool of_file =
        event.kind == EventKind::kFileGrown || event.kind == EventKind::kNearlyFull;
    EXPECT_TRUE(!of_file || options.background == (std::this_thread::get_id() != writer));
    const std::lock_guard lock(mutex);
    told.emplace(event.kind, event);
    changed.notify_all();
  };
  Store store = *Store::open(folder.file("s"), options);
  Index index = *store.index("text", small_options());
  Label label = 0;
  while (index.upsert(label, vector_of(label)).ok()) ++label;
  EXPECT_GT(label, 100u);
  std::unique_lock lock(mutex);
  const auto both = [&] {
    return told.contains(EventKind::kFileGrown) && told.contains(EventKind::kNearlyFull);
  };
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), both));
  EXPECT_GT(told[EventKind::kFileGrown].value, std::uint64_t{256} << 10);
  EXPECT_EQ(told[EventKind::kNearlyFull].limit, std::uint64_t{2} << 20);
  EXPECT_EQ(told[EventKind::kNearlyFull].severity, Severity::kWarning);
  lock.unlock();
  static_cast<void>(store.close());
}

// One reader lives on, so that the table of readers does; another is killed in the middle.
TEST(Events, ClearedReadersOfKilledProcessesAreTold) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  {
    Store store = *Store::open(path, quick_store());
    ASSERT_OK(store.index("text", small_options())->upsert(1, vector_of(1)).status());
    ASSERT_OK(store.close());
  }
  StoreOptions reading;
  reading.read_only = true;
  std::optional<Store> read;  // until the child is killed
  const auto open_to_read = [&] {
    read = *Store::open(path, reading);
    return read->open_index("text").ok() ? 'y' : 'n';
  };
  const Speaker lives(open_to_read);
  Speaker dies(open_to_read);
  EXPECT_EQ(lives.said(), 'y');
  EXPECT_EQ(dies.said(), 'y');
  dies.kill();
  std::vector<Event> told;
  StoreOptions options = quick_store();
  options.background = false;
  options.on_event = [&](const Event& event) {
    if (event.kind != EventKind::kHugePagesRefused) told.push_back(event);
  };
  {
    Store store = *Store::open(path, options);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].kind, EventKind::kStaleReader);
    EXPECT_GE(told[0].value, 1u);
    ASSERT_OK(store.close());
  }
}

// Stored options are taken as they are; what is asked for besides must not be passed over.
TEST(OpenIndex, AsStoredInOneCall) {
  TemporaryFolder folder;
  Store store = *Store::open(folder.file("s"), quick_store());
  IndexOptions stored = small_options();
  stored.metric = Metric::kSquaredL2;
  stored.quantization = Quantization::kNone;
  stored.M = 8;
  ASSERT_OK(store.index("text", stored).status());
  for (const bool open : {true, false}) {
    const Result<Index> index = store.open_index("text");
    ASSERT_OK(index.status());
    EXPECT_EQ(index->options().metric, Metric::kSquaredL2);
    EXPECT_EQ(index->options().M, 8u);
    EXPECT_CODE(store.open_index("text", {.metric = Metric::kInnerProduct}).status(),
                kInvalidArgument, "metric");
    EXPECT_CODE(store.open_index("text", {.M = 32}).status(), kInvalidArgument, "M 32 asked");
    ASSERT_OK(store.open_index("text", {.metric = Metric::kSquaredL2, .threads = 2}).status());
    if (!open) break;
    ASSERT_OK(store.close());
    store = *Store::open(folder.file("s"), quick_store());
  }
}

INSTANTIATE_TEST_SUITE_P(Thread, FileEvents, ::testing::Bool(), [](const auto& instance) {
  return instance.param ? "OfTheStore" : "OfTheWriter";
});

INSTANTIATE_TEST_SUITE_P(Rows, StoreTest, ::testing::Bool(), [](const auto& instance) {
  return instance.param ? "InMemory" : "InMap";
});

}  // namespace
}  // namespace vicinal::testing
