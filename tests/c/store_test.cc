// Stores through the C ABI: opened, filled, reopened, closed and freed in any order.
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

bool keep_text(void* context, const char* text) {
  static_cast<std::vector<std::string>*>(context)->push_back(text);
  return true;
}

bool keep_first(void* context, const char* text) {
  keep_text(context, text);
  return false;
}

TEST(CStore, HoldsIndexesOverReopening) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  {
    const Handle<vicinal_store> store = open_c_store(path);
    EXPECT_EQ(vicinal_store_path(store.get()), path);
    const Handle<vicinal_index> text = index_in(store.get(), "text");
    const Handle<vicinal_index> again = index_in(store.get(), "text");
    vicinal_index_options wide = small_c_options(24);
    wide.metric = VICINAL_SQUARED_L2;
    const Handle<vicinal_index> images = index_in(store.get(), "images", wide);
    fill(text.get(), 40);
    EXPECT_EQ(size_of(again.get()), 40u);
    const std::vector<float> vector = vector_of(1, 0, 24);
    ASSERT_C_OK(vicinal_index_upsert(images.get(), 9, vector.data(), 24, nullptr));
    ASSERT_C_OK(vicinal_index_sync(text.get()));
    ASSERT_C_OK(vicinal_store_sync(store.get()));
    ASSERT_C_OK(vicinal_store_close(store.get()));
    EXPECT_C_OK(vicinal_store_close(store.get()));
  }
  const Handle<vicinal_store> store = open_c_store(path);
  std::vector<std::string> names;
  ASSERT_C_OK(vicinal_store_for_each_index_name(store.get(), keep_text, &names));
  EXPECT_EQ(names, (std::vector<std::string>{"images", "text"}));
  names.clear();
  ASSERT_C_OK(vicinal_store_for_each_index_name(store.get(), keep_first, &names));
  EXPECT_EQ(names.size(), 1u);
  vicinal_index* opened = nullptr;
  ASSERT_C_OK(vicinal_store_open_index(store.get(), "images", nullptr, &opened));
  const Handle<vicinal_index> images(opened);
  INITIALISED(index_options, options);
  ASSERT_C_OK(vicinal_index_get_options(images.get(), &options));
  EXPECT_EQ(options.dimension, 24u);
  EXPECT_EQ(options.metric, VICINAL_SQUARED_L2);
  ASSERT_C_OK(vicinal_store_drop_index(store.get(), "images"));
  EXPECT_C(vicinal_index_upsert(images.get(), 1, vector_of(1, 0, 24).data(), 24, nullptr),
           VICINAL_CLOSED, "");
  EXPECT_C(vicinal_store_drop_index(store.get(), "images"), VICINAL_NOT_FOUND, "images");
}

TEST(CStore, RefusesWithReasons) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  vicinal_store_options options = quick_c_store();
  auto* refused = reinterpret_cast<vicinal_store*>(&options);
  options.create = 0;
  EXPECT_C(vicinal_store_open(path.c_str(), &options, &refused), VICINAL_NOT_FOUND, path);
  EXPECT_EQ(refused, nullptr);
  options.create = 1;
  options.durability = 3;
  EXPECT_C(vicinal_store_open(path.c_str(), &options, &refused), VICINAL_INVALID_ARGUMENT,
           "durability 3 is outside 0 to 2");
  const Handle<vicinal_store> store = open_c_store(path);
  EXPECT_C(vicinal_store_open(path.c_str(), nullptr, &refused), VICINAL_BUSY, path);
  const Handle<vicinal_index> text = index_in(store.get(), "text");

  vicinal_index_options other = small_c_options();
  auto* index = reinterpret_cast<vicinal_index*>(&other);
  other.dimension = 17;
  EXPECT_C(vicinal_store_index(store.get(), "text", &other, &index), VICINAL_INVALID_ARGUMENT,
           "dimension 17 asked, index \"text\" has 16");
  EXPECT_EQ(index, nullptr);
  EXPECT_C(vicinal_store_index(store.get(), "a/b", &other, &index), VICINAL_INVALID_ARGUMENT,
           "a/b");
  EXPECT_C(vicinal_store_index(store.get(), "new", nullptr, &index), VICINAL_INVALID_ARGUMENT,
           "dimension 0");
  EXPECT_C(vicinal_store_open_index(store.get(), "none", nullptr, &index), VICINAL_NOT_FOUND,
           "none");
  vicinal_stored_stats stats;
  ASSERT_C_OK(vicinal_stored_stats_init(&stats, sizeof stats));
  EXPECT_C(vicinal_store_stored_stats(store.get(), "none", &stats, nullptr), VICINAL_NOT_FOUND,
           "none");
  EXPECT_C(vicinal_store_for_each_journal_entry(store.get(), "none", keep_text, nullptr),
           VICINAL_NOT_FOUND, "none");

  std::ofstream(folder.file("file")) << "words";
  EXPECT_C(vicinal_store_open(folder.file("file").c_str(), nullptr, &refused),
           VICINAL_INVALID_ARGUMENT, "file");
  std::filesystem::create_directory(folder.file("other"));
  std::ofstream(folder.file("other") + "/data.mdb") << std::string(100000, 'x');
  EXPECT_C(vicinal_store_open(folder.file("other").c_str(), nullptr, &refused), VICINAL_CORRUPTION,
           "");
}

TEST(CStore, ReadOnlyAnswersReadsOnly) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  {
    const Handle<vicinal_store> store = open_c_store(path);
    fill(index_in(store.get(), "text").get(), 10);
  }
  vicinal_store_options options = quick_c_store();
  options.read_only = 1;
  const Handle<vicinal_store> store = open_c_store(path, options);
  vicinal_index* opened = nullptr;
  ASSERT_C_OK(vicinal_store_open_index(store.get(), "text", nullptr, &opened));
  const Handle<vicinal_index> index(opened);
  EXPECT_EQ(size_of(index.get()), 10u);
  EXPECT_C(vicinal_index_erase(index.get(), 1, nullptr), VICINAL_READ_ONLY, "");
}

// Every order in which handles can go; what is left answers VICINAL_CLOSED.
TEST(CHandles, MayBeFreedInAnyOrder) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  const std::vector<float> query = vector_of(1);
  Label label = 0;
  std::size_t found = 0;
  const auto search = [&](const vicinal_index* index) {
    return vicinal_index_search(index, query.data(), kDimension, 1, nullptr, &label, nullptr,
                                &found, nullptr);
  };
  {
    Handle<vicinal_store> store = open_c_store(path);
    const Handle<vicinal_index> index = index_in(store.get(), "text");
    fill(index.get(), 10);
    ASSERT_C_OK(vicinal_store_close(store.get()));
    EXPECT_C(search(index.get()), VICINAL_CLOSED, "");
    store.reset();
    EXPECT_C(search(index.get()), VICINAL_CLOSED, "");
    bool live = true;
    EXPECT_C_OK(vicinal_index_contains(index.get(), 1, &live));
    EXPECT_FALSE(live);
  }
  {
    Handle<vicinal_store> store = open_c_store(path);
    const Handle<vicinal_index> index = index_in(store.get(), "text");
    EXPECT_C_OK(search(index.get()));
    store.reset();  // without close: freeing closes
    EXPECT_C(search(index.get()), VICINAL_CLOSED, "");
    const Handle<vicinal_store> again = open_c_store(path);
    EXPECT_NE(again, nullptr) << "and gives the path free";
  }
  {
    const Handle<vicinal_store> store = open_c_store(path);
    Handle<vicinal_index> index = index_in(store.get(), "text");
    index.reset();
    index = index_in(store.get(), "text");
    EXPECT_C_OK(search(index.get()));
    EXPECT_EQ(label, 1u);
  }
  vicinal_store_free(nullptr);
  vicinal_index_free(nullptr);
  vicinal_label_set_free(nullptr);
  vicinal_hits_free(nullptr);
  EXPECT_EQ(vicinal_store_path(nullptr), nullptr);
}

TEST(CStore, TellsWhatItsFileHasWithoutLoading) {
  const TemporaryFolder folder;
  vicinal_store_options options = quick_c_store();
  options.background = 0;
  const Handle<vicinal_store> store = open_c_store(folder.file("s"), options);
  const Handle<vicinal_index> index = index_in(store.get(), "text");
  fill(index.get(), 20);
  ASSERT_C_OK(vicinal_index_checkpoint(index.get(), nullptr, nullptr));
  const std::vector<float> later = vector_of(100);
  ASSERT_C_OK(vicinal_index_upsert(index.get(), 100, later.data(), kDimension, nullptr));
  ASSERT_C_OK(vicinal_index_erase(index.get(), 3, nullptr));

  INITIALISED(stored_stats, stats);
  INITIALISED(index_options, stored);
  ASSERT_C_OK(vicinal_store_stored_stats(store.get(), "text", &stats, &stored));
  EXPECT_STREQ(stats.name, "text");
  EXPECT_EQ(stats.live, 20u);
  EXPECT_EQ(stats.checkpoints, 1u);
  EXPECT_EQ(stats.journal_entries, 2u);
  EXPECT_EQ(stats.rows_to_link, 0u);  // it is flat
  EXPECT_GT(stats.bytes_vectors, 0u);
  EXPECT_GT(stats.bytes_disk, 0u);
  EXPECT_EQ(stored.dimension, kDimension);
  EXPECT_EQ(stored.M, 8u);

  std::vector<std::string> entries;
  ASSERT_C_OK(vicinal_store_for_each_journal_entry(store.get(), "text", keep_text, &entries));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_NE(entries[0].find("\"op\":"), std::string::npos) << entries[0];
  entries.clear();
  ASSERT_C_OK(vicinal_store_for_each_journal_entry(store.get(), "text", keep_first, &entries));
  EXPECT_EQ(entries.size(), 1u);

  const std::vector<Label> labels = {7, 3, 100};
  std::vector<float> rows(3 * kDimension, 4711);
  bool live[3] = {};
  ASSERT_C_OK(vicinal_store_stored_vectors(store.get(), "text", labels.data(), 3, kDimension,
                                           rows.data(), live));
  EXPECT_TRUE(live[0] && !live[1] && live[2]);
  std::vector<float> expected = vector_of(7);
  expected.resize(2 * kDimension, 0.0F);
  expected.insert(expected.end(), later.begin(), later.end());
  EXPECT_EQ(rows, expected);
  EXPECT_C(
      vicinal_store_stored_vectors(store.get(), "text", labels.data(), 3, 15, rows.data(), nullptr),
      VICINAL_INVALID_ARGUMENT, "dimension 15, index has 16");
  EXPECT_C(vicinal_store_stored_vectors(store.get(), "none", nullptr, 0, 16, nullptr, nullptr),
           VICINAL_NOT_FOUND, "none");
  EXPECT_EQ(rows, expected);
}

TEST(CStore, ChecksBacksUpAndVerifies) {
  const TemporaryFolder folder;
  const Handle<vicinal_store> store = open_c_store(folder.file("s"));
  const Handle<vicinal_index> index = index_in(store.get(), "text");
  fill(index.get(), 600);
  ASSERT_C_OK(vicinal_store_checkpoint(store.get()));
  INITIALISED(validate_options, options);
  INITIALISED(validate_report, report);
  options.deep = 1;
  ASSERT_C_OK(vicinal_index_validate(index.get(), &options, &report));
  EXPECT_EQ(report.problems, 0u);
  std::uint64_t failed = 4711;
  std::vector<std::string> messages;
  ASSERT_C_OK(vicinal_store_verify_records(store.get(), keep_text, &messages, &failed));
  EXPECT_EQ(failed, 0u);
  EXPECT_TRUE(messages.empty());
  ASSERT_C_OK(vicinal_store_verify_records(store.get(), nullptr, nullptr, &failed));
  ASSERT_C_OK(vicinal_store_backup(store.get(), folder.file("copy").c_str()));
  EXPECT_C(vicinal_store_backup(store.get(), folder.file("copy").c_str()), VICINAL_INVALID_ARGUMENT,
           "copy");
  const Handle<vicinal_store> copy = open_c_store(folder.file("copy"));
  EXPECT_EQ(size_of(index_in(copy.get(), "text").get()), 600u);
}

TEST(CStore, OpeningTellsProgressAndCanBeCancelled) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  {
    const Handle<vicinal_store> store = open_c_store(path);
    fill(index_in(store.get(), "text").get(), 2000);
  }
  const Handle<vicinal_store> store = open_c_store(path);
  vicinal_index_options options = small_c_options();
  int calls = 0;
  options.progress = [](void* context, const vicinal_progress*) {
    ++*static_cast<int*>(context);
    return false;
  };
  options.progress_context = &calls;
  vicinal_index* index = nullptr;
  EXPECT_C(vicinal_store_index(store.get(), "text", &options, &index), VICINAL_CANCELLED, "");
  EXPECT_EQ(index, nullptr);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(size_of(index_in(store.get(), "text").get()), 2000u);
}

// What would have to wait for the call that a callback belongs to.
TEST(CStore, IsNotClosedFromInsideACallback) {
  const TemporaryFolder folder;
  const Handle<vicinal_store> store = open_c_store(folder.file("s"));
  const Handle<vicinal_index> index = index_in(store.get(), "text");
  fill(index.get(), 600);
  struct Inside {
    vicinal_store* store;
    vicinal_status answered;
    std::string message;
  } inside{store.get(), VICINAL_OK, ""};
  const vicinal_vector_visitor close = [](void* context, std::uint64_t, const float*, std::size_t) {
    Inside& i = *static_cast<Inside*>(context);
    i.answered = vicinal_store_close(i.store);
    i.message = vicinal_last_message();
    return false;
  };
  ASSERT_C_OK(vicinal_index_for_each(index.get(), close, &inside));
  EXPECT_EQ(inside.answered, VICINAL_BUSY) << inside.message;
  EXPECT_FALSE(inside.message.empty());
  EXPECT_EQ(size_of(index.get()), 600u);
}

TEST(CStore, ACheckpointTellsProgressAndCanBeCancelled) {
  const TemporaryFolder folder;
  vicinal_store_options options = quick_c_store();
  options.background = 0;
  const Handle<vicinal_store> store = open_c_store(folder.file("s"), options);
  const Handle<vicinal_index> index = index_in(store.get(), "text");
  fill(index.get(), 2000);
  int calls = 0;
  const vicinal_progress_callback cancel = [](void* context, const vicinal_progress*) {
    ++*static_cast<int*>(context);
    return false;
  };
  EXPECT_C(vicinal_index_checkpoint(index.get(), cancel, &calls), VICINAL_CANCELLED, "");
  EXPECT_EQ(calls, 1);
  EXPECT_C_OK(vicinal_index_checkpoint(index.get(), nullptr, nullptr));
  INITIALISED(stored_stats, stats);
  ASSERT_C_OK(vicinal_store_stored_stats(store.get(), "text", &stats, nullptr));
  EXPECT_EQ(stats.checkpoints, 1u);
}

TEST(CStore, AnEarlierFormatIsConverted) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s");
  std::filesystem::create_directory(path);
  std::filesystem::copy_file(VICINAL_GOLDEN "/engine-v1/x86-64/data.mdb", path + "/data.mdb");
  vicinal_store* store = nullptr;
  EXPECT_C(vicinal_store_open(path.c_str(), nullptr, &store), VICINAL_FORMAT_VERSION, "convert");
  bool converted = false;
  ASSERT_C_OK(vicinal_store_convert(path.c_str(), &converted));
  EXPECT_TRUE(converted);
  ASSERT_C_OK(vicinal_store_convert(path.c_str(), &converted));
  EXPECT_FALSE(converted);
  EXPECT_C_OK(vicinal_store_convert(path.c_str(), nullptr));
  EXPECT_NE(open_c_store(path), nullptr);
  EXPECT_C(vicinal_store_convert(folder.file("none").c_str(), nullptr), VICINAL_NOT_FOUND, "none");
}

struct Heard {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<vicinal_event_kind, vicinal_event> told;
  std::string message;
};

void hear(void* context, const vicinal_event* event) {
  Heard& heard = *static_cast<Heard*>(context);
  const std::lock_guard lock(heard.mutex);
  heard.told.emplace(event->kind, *event);
  if (event->kind == VICINAL_EVENT_NEARLY_FULL) heard.message = event->message;
  heard.changed.notify_all();
}

TEST(CEvents, AreToldWithTheirContext) {
  const TemporaryFolder folder;
  Heard heard;
  vicinal_store_options options = quick_c_store();
  options.map_bytes = 256 << 10;
  options.max_map_bytes = 2 << 20;
  options.on_event = hear;
  options.event_context = &heard;
  const Handle<vicinal_store> store = open_c_store(folder.file("s"), options);
  const Handle<vicinal_index> index = index_in(store.get(), "text");
  vicinal_status status = VICINAL_OK;
  Label label = 0;
  for (; status == VICINAL_OK; ++label) {
    status = vicinal_index_upsert(index.get(), label, vector_of(label).data(), kDimension, nullptr);
  }
  EXPECT_C(status, VICINAL_FULL, "");
  EXPECT_GT(label, 100u);
  std::unique_lock lock(heard.mutex);
  ASSERT_TRUE(heard.changed.wait_for(lock, std::chrono::seconds(60), [&] {
    return heard.told.contains(VICINAL_EVENT_NEARLY_FULL);
  }));
  const vicinal_event& event = heard.told[VICINAL_EVENT_NEARLY_FULL];
  EXPECT_EQ(event.size, sizeof event);
  EXPECT_EQ(event.severity, VICINAL_SEVERITY_WARNING);
  EXPECT_EQ(event.status, VICINAL_OK);
  EXPECT_EQ(event.limit, 2u << 20);
  EXPECT_GT(event.value, 0u);
  EXPECT_FALSE(heard.message.empty());
  lock.unlock();
  static_cast<void>(vicinal_store_close(store.get()));
}

}  // namespace
}  // namespace vicinal::testing
