// Structs of other releases: a smaller one takes defaults, a larger one only zeros, and the layout
// is what programs of before were compiled with.
#include <cstddef>
#include <cstring>
#include <vector>

#include "tests/c/c_testing.h"
#include "vicinal/options.h"

namespace vicinal::testing {
namespace {

// Never changed; a release that adds fields raises the sizes, and only those.
static_assert(sizeof(vicinal_index_options) == 96);
static_assert(offsetof(vicinal_index_options, seed) == 32);
static_assert(offsetof(vicinal_index_options, progress) == 72);
static_assert(offsetof(vicinal_index_options, storage) == 88);
static_assert(sizeof(vicinal_store_options) == 80);
static_assert(offsetof(vicinal_store_options, on_event) == 56);
static_assert(offsetof(vicinal_store_options, event_release) == 72);
static_assert(sizeof(vicinal_batch_options) == 32);
static_assert(sizeof(vicinal_search_options) == 72);
static_assert(offsetof(vicinal_search_options, labels) == 32);
static_assert(sizeof(vicinal_radius_options) == 56);
static_assert(sizeof(vicinal_repair_options) == 32);
static_assert(sizeof(vicinal_validate_options) == 56);
static_assert(sizeof(vicinal_recall_options) == 48);
static_assert(sizeof(vicinal_batch_result) == 48);
static_assert(sizeof(vicinal_repair_result) == 48);
static_assert(sizeof(vicinal_search_counters) == 48);
static_assert(sizeof(vicinal_validate_report) == 14 * 8 + (130 + 32) * 8);
static_assert(sizeof(vicinal_stats) == 8 + 104 + 32 + (4 + 32 + 32 + 8 + 2 + 10) * 8 + 512);
static_assert(sizeof(vicinal_stored_stats) == 8 + 104 + (3 + 32 + 4 + 4) * 8);
static_assert(sizeof(vicinal_hnswlib_info) == 64);
static_assert(sizeof(vicinal_progress) == 32);
static_assert(sizeof(vicinal_event) == 64);
static_assert(sizeof(vicinal_node_view) == 56);
static_assert(sizeof(vicinal_cpu_target) == 32);

TEST(Initialisers, GiveTheDefaultsOfTheCppApi) {
  INITIALISED(index_options, index);
  const IndexOptions index_defaults;
  EXPECT_EQ(index.size, sizeof index);
  EXPECT_EQ(index.dimension, 0u);
  EXPECT_EQ(index.metric, VICINAL_COSINE);
  EXPECT_EQ(index.M, index_defaults.M);
  EXPECT_EQ(index.ef_construction, index_defaults.ef_construction);
  EXPECT_EQ(index.ef_search, index_defaults.ef_search);
  EXPECT_EQ(index.quantization, VICINAL_QUANTIZATION_INT8);
  EXPECT_EQ(index.storage, VICINAL_STORAGE_FLOAT32);
  EXPECT_EQ(index.seed, index_defaults.seed);
  EXPECT_EQ(index.repair_share, index_defaults.repair_share);
  EXPECT_EQ(index.vectors_in_memory, 1u);
  EXPECT_EQ(index.progress, nullptr);

  INITIALISED(store_options, store);
  const StoreOptions store_defaults;
  EXPECT_EQ(store.durability, VICINAL_DURABILITY_FULL);
  EXPECT_EQ(store.create, 1u);
  EXPECT_EQ(store.read_only, 0u);
  EXPECT_EQ(store.background, 1u);
  EXPECT_EQ(store.checkpoint_bytes, store_defaults.checkpoint_bytes);
  EXPECT_EQ(store.file_mode, store_defaults.file_mode);

  INITIALISED(validate_options, validate);
  EXPECT_EQ(validate.max_messages, ValidateOptions().max_messages);
  INITIALISED(recall_options, recall);
  EXPECT_EQ(recall.samples, RecallOptions().samples);
  EXPECT_EQ(recall.k, RecallOptions().k);
  EXPECT_EQ(recall.seed, RecallOptions().seed);
}

TEST(Initialisers, WriteNoMoreThanTheSizeThatTheyAreGiven) {
  vicinal_search_options options;
  std::memset(&options, 0xAB, sizeof options);
  ASSERT_C_OK(vicinal_search_options_init(&options, 16));
  EXPECT_EQ(options.size, 16u);
  EXPECT_EQ(options.ef_search, 0u);
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&options);
  for (std::size_t i = 16; i < sizeof options; ++i) EXPECT_EQ(bytes[i], 0xAB) << i;
}

TEST(Initialisers, OfALargerStructMakeTheRestZeros) {
  std::vector<std::uint64_t> larger(sizeof(vicinal_stats) / 8 + 3, ~0ull);
  auto* const stats = reinterpret_cast<vicinal_stats*>(larger.data());
  ASSERT_C_OK(vicinal_stats_init(stats, larger.size() * 8));
  EXPECT_EQ(stats->size, larger.size() * 8);
  for (std::size_t i = 1; i < larger.size(); ++i) EXPECT_EQ(larger[i], 0u) << i;
}

TEST(Initialisers, RefuseWhatIsNoSize) {
  INITIALISED(batch_options, options);
  EXPECT_C(vicinal_batch_options_init(nullptr, sizeof options), VICINAL_INVALID_ARGUMENT,
           "options is NULL");
  EXPECT_C(vicinal_batch_options_init(&options, 0), VICINAL_INVALID_ARGUMENT,
           "size 0 of vicinal_batch_options");
  EXPECT_C(vicinal_batch_options_init(&options, 20), VICINAL_INVALID_ARGUMENT, "size 20");
  EXPECT_C(vicinal_batch_options_init(&options, 65544), VICINAL_INVALID_ARGUMENT, "size 65544");
  EXPECT_EQ(options.size, sizeof options);
}

TEST(Initialisers, AreThereForEveryStruct) {
  const auto begins_as_zeros = [](auto init, auto value) {
    std::memset(&value, 0xAB, sizeof value);
    ASSERT_C_OK(init(&value, sizeof value));
    EXPECT_EQ(value.size, sizeof value);
    const auto* const bytes = reinterpret_cast<const unsigned char*>(&value);
    for (std::size_t i = sizeof value.size; i < sizeof value; ++i) EXPECT_EQ(bytes[i], 0) << i;
  };
  begins_as_zeros(vicinal_batch_options_init, vicinal_batch_options());
  begins_as_zeros(vicinal_search_options_init, vicinal_search_options());
  begins_as_zeros(vicinal_radius_options_init, vicinal_radius_options());
  begins_as_zeros(vicinal_repair_options_init, vicinal_repair_options());
  begins_as_zeros(vicinal_batch_result_init, vicinal_batch_result());
  begins_as_zeros(vicinal_repair_result_init, vicinal_repair_result());
  begins_as_zeros(vicinal_search_counters_init, vicinal_search_counters());
  begins_as_zeros(vicinal_validate_report_init, vicinal_validate_report());
  begins_as_zeros(vicinal_hnswlib_info_init, vicinal_hnswlib_info());
  begins_as_zeros(vicinal_stats_init, vicinal_stats());
  begins_as_zeros(vicinal_stored_stats_init, vicinal_stored_stats());
}

// A program of an earlier release knows the first fields only.
TEST(OlderStructs, TakeDefaultsForWhatTheyLack) {
  vicinal_index_options older;
  std::memset(&older, 0xAB, sizeof older);
  const std::size_t known = offsetof(vicinal_index_options, M);  // up to dimension and metric
  ASSERT_C_OK(vicinal_index_options_init(&older, known));
  older.dimension = 7;
  older.metric = VICINAL_SQUARED_L2;
  vicinal_index* index = nullptr;
  ASSERT_C_OK(vicinal_index_create(&older, &index));
  const Handle<vicinal_index> owner(index);
  INITIALISED(index_options, options);
  ASSERT_C_OK(vicinal_index_get_options(index, &options));
  EXPECT_EQ(options.dimension, 7u);
  EXPECT_EQ(options.metric, VICINAL_SQUARED_L2);
  EXPECT_EQ(options.M, IndexOptions().M);
  EXPECT_EQ(options.seed, IndexOptions().seed);
}

TEST(OlderStructs, GetTheFieldsThatTheyHave) {
  const Handle<vicinal_index> index = c_index();
  const std::vector<Label> labels = {1, 2, 2};
  const std::vector<float> rows = matrix_of(labels);
  vicinal_batch_result older;
  std::memset(&older, 0xAB, sizeof older);
  ASSERT_C_OK(vicinal_batch_result_init(&older, offsetof(vicinal_batch_result, updated)));
  ASSERT_C_OK(vicinal_index_upsert_batch(index.get(), labels.data(), rows.data(), 3, kDimension,
                                         nullptr, &older));
  EXPECT_EQ(older.inserted, 2u);
  EXPECT_EQ(older.updated, 0xABABABABABABABABu);
  EXPECT_EQ(older.repeated, 0xABABABABABABABABu);
}

// A program of a later release has fields that this library does not know.
struct LaterSearchOptions {
  vicinal_search_options known;
  std::uint64_t later;
};

TEST(LaterStructs, AreTakenWhileWhatIsUnknownIsZero) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 20);
  LaterSearchOptions options;
  ASSERT_C_OK(vicinal_search_options_init(&options.known, sizeof options));
  EXPECT_EQ(options.later, 0u);
  const std::vector<float> query = vector_of(3);
  Label label = 0;
  std::size_t found = 0;
  const auto search = [&] {
    return vicinal_index_search(index.get(), query.data(), kDimension, 1, &options.known, &label,
                                nullptr, &found, nullptr);
  };
  ASSERT_C_OK(search());
  EXPECT_EQ(label, 3u);
  options.later = 5;
  EXPECT_C(search(), VICINAL_INVALID_ARGUMENT, "vicinal_search_options: byte 72 of 80 is not 0");
}

TEST(LaterStructs, GetZerosForWhatIsUnknown) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 20);
  struct {
    vicinal_stats known;
    std::uint64_t later;
  } stats;
  ASSERT_C_OK(vicinal_stats_init(&stats.known, sizeof stats));
  stats.later = 7;
  ASSERT_C_OK(vicinal_index_stats(index.get(), &stats.known));
  EXPECT_EQ(stats.known.live, 20u);
  EXPECT_EQ(stats.known.size, sizeof stats);
  EXPECT_EQ(stats.later, 0u);
}

TEST(Structs, NotInitialisedAreRefusedByName) {
  const Handle<vicinal_index> index = c_index();
  vicinal_stats stats = {};
  EXPECT_C(vicinal_index_stats(index.get(), &stats), VICINAL_INVALID_ARGUMENT,
           "size 0 of vicinal_stats is not one of 8 to 65536 in steps of 8: initialise it");
  vicinal_batch_options batch = {};
  EXPECT_C(vicinal_index_rebuild(index.get(), &batch), VICINAL_INVALID_ARGUMENT,
           "size 0 of vicinal_batch_options");
  vicinal_index_options options = {};
  EXPECT_C(vicinal_index_get_options(index.get(), &options), VICINAL_INVALID_ARGUMENT,
           "vicinal_index_options");
  vicinal_repair_result repaired = {};
  EXPECT_C(vicinal_index_repair(index.get(), nullptr, &repaired), VICINAL_INVALID_ARGUMENT,
           "vicinal_repair_result");
  vicinal_validate_report report = {};
  EXPECT_C(vicinal_index_validate(index.get(), nullptr, &report), VICINAL_INVALID_ARGUMENT,
           "vicinal_validate_report");
}

TEST(Structs, ReservedFieldsMustBeZero) {
  const Handle<vicinal_index> index = c_index();
  INITIALISED(batch_options, options);
  options.reserved = 3;
  EXPECT_C(vicinal_index_rebuild(index.get(), &options), VICINAL_INVALID_ARGUMENT,
           "vicinal_batch_options::reserved is 3, not 0");
}

}  // namespace
}  // namespace vicinal::testing
