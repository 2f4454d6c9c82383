// Every pointer that must not be NULL, and the words that belong to no handle.
#include <cstring>
#include <functional>
#include <new>
#include <stdexcept>

#include "engine/c/answer.h"
#include "tests/c/c_testing.h"
#include "vicinal/cpu.h"

namespace vicinal::testing {
namespace {

#define EXPECT_NULL_REFUSED(name, call) EXPECT_C(call, VICINAL_INVALID_ARGUMENT, name " is NULL")

bool visit_text(void*, const char*) { return true; }
bool visit_vector(void*, std::uint64_t, const float*, std::size_t) { return true; }
bool visit_node(void*, const vicinal_node_view*) { return true; }

vicinal_status no_sink(void*, const void*, std::size_t) { return VICINAL_OK; }
vicinal_status no_source(void*, void*, std::size_t, std::size_t*) { return VICINAL_OK; }

class CNull : public ::testing::Test {
 protected:
  CNull() : owner_(c_index()), index_(owner_.get()) {
    fill(index_, 3);
    EXPECT_C_OK(vicinal_label_set_all(&set_));
  }
  ~CNull() override { vicinal_label_set_free(set_); }

  const Handle<vicinal_index> owner_;
  vicinal_index* const index_;
  vicinal_label_set* set_ = nullptr;
  const std::vector<float> vector_ = vector_of(1);
  const float* const v_ = vector_.data();
  Label label_ = 0;
  std::size_t count_ = 0;
  std::uint64_t number_ = 0;
  bool flag_ = false;
};

TEST_F(CNull, OfAnIndexIsRefusedByName) {
  float room[kDimension];
  std::uint32_t dimension = 0;
  EXPECT_NULL_REFUSED("index", vicinal_index_create(nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_upsert(nullptr, 1, v_, kDimension, nullptr));
  EXPECT_NULL_REFUSED("vector", vicinal_index_upsert(index_, 1, nullptr, kDimension, nullptr));
  EXPECT_NULL_REFUSED("index",
                      vicinal_index_upsert_batch(nullptr, &label_, v_, 1, 16, nullptr, nullptr));
  EXPECT_NULL_REFUSED("labels",
                      vicinal_index_upsert_batch(index_, nullptr, v_, 1, 16, nullptr, nullptr));
  EXPECT_NULL_REFUSED(
      "vectors", vicinal_index_upsert_batch(index_, &label_, nullptr, 1, 16, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_get(nullptr, 1, room, kDimension));
  EXPECT_NULL_REFUSED("vector", vicinal_index_get(index_, 1, nullptr, kDimension));
  EXPECT_NULL_REFUSED("index", vicinal_index_contains(nullptr, 1, &flag_));
  EXPECT_NULL_REFUSED("live", vicinal_index_contains(index_, 1, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_erase(nullptr, 1, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_erase_batch(nullptr, &label_, 1, nullptr));
  EXPECT_NULL_REFUSED("labels", vicinal_index_erase_batch(index_, nullptr, 1, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_size(nullptr, &number_));
  EXPECT_NULL_REFUSED("size", vicinal_index_size(index_, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_dimension(nullptr, &dimension));
  EXPECT_NULL_REFUSED("dimension", vicinal_index_dimension(index_, nullptr));
  INITIALISED(index_options, options);
  EXPECT_NULL_REFUSED("index", vicinal_index_get_options(nullptr, &options));
  EXPECT_NULL_REFUSED("options", vicinal_index_get_options(index_, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_reserve(nullptr, 1));
  EXPECT_NULL_REFUSED("index", vicinal_index_save(nullptr, no_sink, nullptr));
  EXPECT_NULL_REFUSED("sink", vicinal_index_save(index_, nullptr, nullptr));
  vicinal_index* loaded = nullptr;
  EXPECT_NULL_REFUSED("source", vicinal_index_load(nullptr, nullptr, nullptr, &loaded));
  EXPECT_NULL_REFUSED("index", vicinal_index_load(no_source, nullptr, nullptr, nullptr));
  vicinal_paused_writes* paused = nullptr;
  EXPECT_NULL_REFUSED("index", vicinal_index_pause_writes(nullptr, &paused));
  EXPECT_NULL_REFUSED("paused", vicinal_index_pause_writes(index_, nullptr));
  EXPECT_NULL_REFUSED("paused", vicinal_paused_writes_save(nullptr, no_sink, nullptr));
  ASSERT_C_OK(vicinal_index_pause_writes(index_, &paused));
  EXPECT_NULL_REFUSED("sink", vicinal_paused_writes_save(paused, nullptr, nullptr));
  vicinal_paused_writes_free(paused);
  vicinal_paused_writes_free(nullptr);
  EXPECT_NULL_REFUSED("index", vicinal_index_for_each(nullptr, visit_vector, nullptr));
  EXPECT_NULL_REFUSED("visit", vicinal_index_for_each(index_, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_node(nullptr, 1, visit_node, nullptr));
  EXPECT_NULL_REFUSED("visit", vicinal_index_node(index_, 1, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_for_each_node(nullptr, visit_node, nullptr));
  EXPECT_NULL_REFUSED("visit", vicinal_index_for_each_node(index_, nullptr, nullptr));
}

TEST_F(CNull, OfASearchIsRefusedByName) {
  vicinal_hits* hits = nullptr;
  const auto search = [&](const vicinal_index* index, const float* query, Label* labels,
                          std::size_t* found) {
    return vicinal_index_search(index, query, kDimension, 1, nullptr, labels, nullptr, found,
                                nullptr);
  };
  EXPECT_NULL_REFUSED("index", search(nullptr, v_, &label_, &count_));
  EXPECT_NULL_REFUSED("query", search(index_, nullptr, &label_, &count_));
  EXPECT_NULL_REFUSED("labels", search(index_, v_, nullptr, &count_));
  EXPECT_NULL_REFUSED("found", search(index_, v_, &label_, nullptr));
  const auto batch = [&](const vicinal_index* index, const float* queries, Label* labels) {
    return vicinal_index_search_batch(index, queries, 1, kDimension, 1, nullptr, 0, labels, nullptr,
                                      nullptr, nullptr);
  };
  EXPECT_NULL_REFUSED("index", batch(nullptr, v_, &label_));
  EXPECT_NULL_REFUSED("queries", batch(index_, nullptr, &label_));
  EXPECT_NULL_REFUSED("labels", batch(index_, v_, nullptr));
  const auto radius = [&](const vicinal_index* index, const float* query, vicinal_hits** found) {
    return vicinal_index_search_radius(index, query, kDimension, 1, nullptr, found, nullptr);
  };
  EXPECT_NULL_REFUSED("index", radius(nullptr, v_, &hits));
  EXPECT_NULL_REFUSED("query", radius(index_, nullptr, &hits));
  EXPECT_NULL_REFUSED("hits", radius(index_, v_, nullptr));
}

TEST_F(CNull, OfMaintenanceIsRefusedByName) {
  double recall = 0;
  INITIALISED(stats, stats);
  EXPECT_NULL_REFUSED("index", vicinal_index_checkpoint(nullptr, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_sync(nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_rebuild(nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_repair(nullptr, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_validate(nullptr, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_recall(nullptr, nullptr, &recall));
  EXPECT_NULL_REFUSED("recall", vicinal_index_recall(index_, nullptr, nullptr));
  EXPECT_NULL_REFUSED("index", vicinal_index_stats(nullptr, &stats));
  EXPECT_NULL_REFUSED("stats", vicinal_index_stats(index_, nullptr));
}

TEST_F(CNull, OfALabelSetIsRefusedByName) {
  vicinal_label_set* made = nullptr;
  EXPECT_NULL_REFUSED("labels", vicinal_label_set_create(nullptr, 1, &made));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_create(&label_, 1, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_all(nullptr));
  for (const auto combine :
       {vicinal_label_set_and, vicinal_label_set_or, vicinal_label_set_minus}) {
    EXPECT_NULL_REFUSED("a", combine(nullptr, set_, &made));
    EXPECT_NULL_REFUSED("b", combine(set_, nullptr, &made));
    EXPECT_NULL_REFUSED("set", combine(set_, set_, nullptr));
  }
  EXPECT_NULL_REFUSED("a", vicinal_label_set_not(nullptr, &made));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_not(set_, nullptr));
  EXPECT_NULL_REFUSED("a", vicinal_label_set_equal(nullptr, set_, &flag_));
  EXPECT_NULL_REFUSED("b", vicinal_label_set_equal(set_, nullptr, &flag_));
  EXPECT_NULL_REFUSED("equal", vicinal_label_set_equal(set_, set_, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_contains(nullptr, 1, &flag_));
  EXPECT_NULL_REFUSED("contained", vicinal_label_set_contains(set_, 1, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_size(nullptr, &number_));
  EXPECT_NULL_REFUSED("size", vicinal_label_set_size(set_, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_inverted(nullptr, &flag_));
  EXPECT_NULL_REFUSED("inverted", vicinal_label_set_inverted(set_, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_stored(nullptr, &number_));
  EXPECT_NULL_REFUSED("stored", vicinal_label_set_stored(set_, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_bytes(nullptr, &number_));
  EXPECT_NULL_REFUSED("bytes", vicinal_label_set_bytes(set_, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_copy_stored(nullptr, &label_, 1, &count_));
  EXPECT_NULL_REFUSED("labels", vicinal_label_set_copy_stored(set_, nullptr, 1, &count_));
  EXPECT_NULL_REFUSED("count", vicinal_label_set_copy_stored(set_, &label_, 1, nullptr));
  EXPECT_NULL_REFUSED("set", vicinal_label_set_for_each_stored(nullptr, nullptr, nullptr));
  EXPECT_NULL_REFUSED("visit", vicinal_label_set_for_each_stored(set_, nullptr, nullptr));
  EXPECT_EQ(made, nullptr);
}

TEST_F(CNull, OfAStoreIsRefusedByName) {
  const TemporaryFolder folder;
  const Handle<vicinal_store> owner = open_c_store(folder.file("s"));
  vicinal_store* const store = owner.get();
  vicinal_store* made = nullptr;
  vicinal_index* index = nullptr;
  float room[kDimension];
  INITIALISED(stored_stats, stats);
  EXPECT_NULL_REFUSED("path", vicinal_store_open(nullptr, nullptr, &made));
  EXPECT_NULL_REFUSED("store", vicinal_store_open("x", nullptr, nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_close(nullptr));
  EXPECT_NULL_REFUSED("path", vicinal_store_convert(nullptr, nullptr));
  for (const auto open : {vicinal_store_index, vicinal_store_open_index}) {
    EXPECT_NULL_REFUSED("store", open(nullptr, "x", nullptr, &index));
    EXPECT_NULL_REFUSED("name", open(store, nullptr, nullptr, &index));
    EXPECT_NULL_REFUSED("index", open(store, "x", nullptr, nullptr));
  }
  EXPECT_NULL_REFUSED("store", vicinal_store_for_each_index_name(nullptr, visit_text, nullptr));
  EXPECT_NULL_REFUSED("visit", vicinal_store_for_each_index_name(store, nullptr, nullptr));
  const auto vectors = [&](const vicinal_store* s, const char* name, const Label* labels,
                           float* rows) {
    return vicinal_store_stored_vectors(s, name, labels, 1, kDimension, rows, nullptr);
  };
  EXPECT_NULL_REFUSED("store", vectors(nullptr, "x", &label_, room));
  EXPECT_NULL_REFUSED("name", vectors(store, nullptr, &label_, room));
  EXPECT_NULL_REFUSED("labels", vectors(store, "x", nullptr, room));
  EXPECT_NULL_REFUSED("vectors", vectors(store, "x", &label_, nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_stored_stats(nullptr, "x", &stats, nullptr));
  EXPECT_NULL_REFUSED("name", vicinal_store_stored_stats(store, nullptr, &stats, nullptr));
  EXPECT_NULL_REFUSED("stats", vicinal_store_stored_stats(store, "x", nullptr, nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_drop_index(nullptr, "x"));
  EXPECT_NULL_REFUSED("name", vicinal_store_drop_index(store, nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_checkpoint(nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_sync(nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_backup(nullptr, "x"));
  EXPECT_NULL_REFUSED("path", vicinal_store_backup(store, nullptr));
  EXPECT_NULL_REFUSED("store", vicinal_store_verify_records(nullptr, nullptr, nullptr, &number_));
  EXPECT_NULL_REFUSED("failed", vicinal_store_verify_records(store, nullptr, nullptr, nullptr));
  EXPECT_NULL_REFUSED("store",
                      vicinal_store_for_each_journal_entry(nullptr, "x", visit_text, nullptr));
  EXPECT_NULL_REFUSED("name",
                      vicinal_store_for_each_journal_entry(store, nullptr, visit_text, nullptr));
  EXPECT_NULL_REFUSED("visit", vicinal_store_for_each_journal_entry(store, "x", nullptr, nullptr));
}

TEST(CWords, StatusesHaveTheNamesOfTheCppApi) {
  for (int code = VICINAL_OK; code <= VICINAL_CANCELLED; ++code) {
    EXPECT_EQ(vicinal_status_name(code), status_code_name(static_cast<StatusCode>(code)));
  }
  EXPECT_STREQ(vicinal_status_name(VICINAL_CANCELLED), "cancelled");
  EXPECT_STREQ(vicinal_status_name(VICINAL_OUT_OF_MEMORY), "out_of_memory");
  EXPECT_STREQ(vicinal_status_name(VICINAL_INTERNAL), "internal");
  for (const int code : {-1, 11, 256, 1000}) EXPECT_STREQ(vicinal_status_name(code), "unknown");
}

TEST(CWords, EnumeratorsHaveTheirsAndOthersNone) {
  EXPECT_STREQ(vicinal_metric_name(VICINAL_SQUARED_L2), "l2");
  EXPECT_STREQ(vicinal_quantization_name(VICINAL_QUANTIZATION_INT8), "int8");
  EXPECT_STREQ(vicinal_durability_name(VICINAL_DURABILITY_RELAXED), "relaxed");
  EXPECT_STREQ(vicinal_upsert_outcome_name(VICINAL_RESURRECTED), "resurrected");
  EXPECT_STREQ(vicinal_erase_outcome_name(VICINAL_ABSENT), "absent");
  EXPECT_STREQ(vicinal_search_path_name(VICINAL_PATH_EXACT_SCAN), "exact_scan");
  EXPECT_STREQ(vicinal_event_name(VICINAL_EVENT_CHECKPOINT_FAILED), "checkpoint_failed");
  EXPECT_STREQ(vicinal_severity_name(VICINAL_SEVERITY_WARNING), "warning");
  for (const auto name : {vicinal_metric_name, vicinal_quantization_name, vicinal_durability_name,
                          vicinal_upsert_outcome_name, vicinal_erase_outcome_name,
                          vicinal_search_path_name, vicinal_event_name, vicinal_severity_name}) {
    for (const int value : {-1, 100, 256, 1 << 20}) EXPECT_STREQ(name(value), "unknown");
  }
}

// What is thrown inside the engine, or by a C++ program's callback, becomes a status.
TEST(CExceptions, StopAtTheBorder) {
  const auto thrown = [](auto exception) {
    return c_abi::answer([&]() -> Status { throw exception; });
  };
  EXPECT_C(thrown(std::bad_alloc()), VICINAL_OUT_OF_MEMORY, "out of memory");
  EXPECT_C(thrown(std::runtime_error("of 3 there are 4")), VICINAL_INTERNAL, "of 3 there are 4");
  EXPECT_C(thrown(7), VICINAL_INTERNAL, "unknown exception");
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 3);
  const vicinal_vector_visitor throws = [](void*, std::uint64_t, const float*,
                                           std::size_t) -> bool {
    throw std::runtime_error("from a visitor");
  };
  EXPECT_C(vicinal_index_for_each(index.get(), throws, nullptr), VICINAL_INTERNAL,
           "from a visitor");
}

TEST(CMessages, StayUntilTheNextFailure) {
  const Handle<vicinal_index> index = c_index();
  float room[kDimension];
  EXPECT_C(vicinal_index_get(index.get(), 77, room, kDimension), VICINAL_NOT_FOUND, "label 77");
  const std::string message = vicinal_last_message();
  EXPECT_EQ(size_of(index.get()), 0u);
  EXPECT_EQ(vicinal_last_message(), message) << "a success leaves it alone";
  EXPECT_C(vicinal_index_get(index.get(), 78, room, kDimension), VICINAL_NOT_FOUND, "label 78");
}

TEST(CMessages, TooLongOnesAreCutBetweenCharacters) {
  const auto last = [](const std::string& message) {
    EXPECT_EQ(c_abi::fail(VICINAL_INTERNAL, message), VICINAL_INTERNAL);
    return std::string(vicinal_last_message());
  };
  EXPECT_EQ(last(std::string(2047, 'a')), std::string(2047, 'a'));
  EXPECT_EQ(last(std::string(2048, 'a')), std::string(2047, 'a'));
  std::string words = "a";
  while (words.size() < 3000) words += "\xC3\xA9";  // e with an acute accent, two bytes
  EXPECT_EQ(last(words), words.substr(0, 2047));
  EXPECT_EQ(last("b" + words), ("b" + words).substr(0, 2046));
}

TEST(CCpu, TargetsAreToldChosenAndForced) {
  struct Told {
    std::vector<std::string> names;
    std::string chosen;
    bool reasons = true;
  } told;
  const vicinal_cpu_target_visitor look = [](void* context, const vicinal_cpu_target* target) {
    Told& t = *static_cast<Told*>(context);
    t.names.emplace_back(target->name);
    t.reasons = t.reasons && (target->supported == 1) == (std::strlen(target->why_not) == 0);
    if (target->chosen == 1) t.chosen = target->name;
    return target->size == sizeof *target;
  };
  ASSERT_C_OK(vicinal_for_each_cpu_target(look, &told));
  EXPECT_EQ(told.names.size(), cpu_targets().size());
  EXPECT_TRUE(told.reasons);
  char name[VICINAL_TARGET_BYTES];
  ASSERT_C_OK(vicinal_chosen_cpu_target(name, sizeof name));
  EXPECT_EQ(name, told.chosen);
  EXPECT_C(vicinal_chosen_cpu_target(name, 2), VICINAL_INVALID_ARGUMENT, "capacity 2");
  EXPECT_NULL_REFUSED("name", vicinal_chosen_cpu_target(nullptr, 0));
  EXPECT_NULL_REFUSED("visit", vicinal_for_each_cpu_target(nullptr, nullptr));

  EXPECT_C(vicinal_force_cpu_target("abacus"), VICINAL_INVALID_ARGUMENT, "abacus");
  ASSERT_C_OK(vicinal_force_cpu_target(told.names.back().c_str()));
  ASSERT_C_OK(vicinal_chosen_cpu_target(name, sizeof name));
  EXPECT_EQ(name, told.names.back());
  ASSERT_C_OK(vicinal_force_cpu_target(nullptr));
  ASSERT_C_OK(vicinal_chosen_cpu_target(name, sizeof name));
  EXPECT_EQ(name, told.chosen);
}

TEST(CVersion, IsTheProjects) { EXPECT_EQ(vicinal_version(), version()); }

// program.c installs one; here the engine has allocated already.
TEST(CAllocator, ComesTooLateOnceUsed) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 3);
  const vicinal_allocate_function allocate = [](std::size_t, std::size_t) -> void* {
    return nullptr;
  };
  const vicinal_deallocate_function deallocate = [](void*, std::size_t, std::size_t) {};
  EXPECT_C(vicinal_set_allocator(allocate, deallocate), VICINAL_BUSY, "allocated already");
  EXPECT_NULL_REFUSED("deallocate", vicinal_set_allocator(allocate, nullptr));
  EXPECT_NULL_REFUSED("allocate", vicinal_set_allocator(nullptr, deallocate));
}

}  // namespace
}  // namespace vicinal::testing
