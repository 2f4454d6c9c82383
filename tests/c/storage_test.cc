// Types of stored vectors through the C ABI.
#include <array>
#include <cstdint>
#include <cstring>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

Handle<vicinal_index> index_of(vicinal_storage storage, std::uint32_t dimension) {
  vicinal_index_options options;
  EXPECT_C_OK(vicinal_index_options_init(&options, sizeof options));
  options.dimension = dimension;
  options.metric = VICINAL_SQUARED_L2;
  options.storage = storage;
  vicinal_index* index = nullptr;
  EXPECT_C_OK(vicinal_index_create(&options, &index));
  return Handle<vicinal_index>(index);
}

TEST(CStorage, GivesWhatIsStoredInItsTypeAndInFloats) {
  const std::array<float, 3> vector = {-254, 1.0F / 3, 2};
  std::array<float, 3> floats{};

  const Handle<vicinal_index> plain = index_of(VICINAL_STORAGE_FLOAT32, 3);
  ASSERT_C_OK(vicinal_index_upsert(plain.get(), 1, vector.data(), 3, nullptr));
  ASSERT_C_OK(vicinal_index_get_stored(plain.get(), 1, floats.data(), sizeof floats));
  EXPECT_EQ(floats, vector);

  const Handle<vicinal_index> halves = index_of(VICINAL_STORAGE_FLOAT16, 3);
  ASSERT_C_OK(vicinal_index_upsert(halves.get(), 1, vector.data(), 3, nullptr));
  std::array<std::uint16_t, 3> words{};
  ASSERT_C_OK(vicinal_index_get_stored(halves.get(), 1, words.data(), sizeof words));
  EXPECT_EQ(words, (std::array<std::uint16_t, 3>{0xDBF0, 0x3555, 0x4000}));
  ASSERT_C_OK(vicinal_index_get(halves.get(), 1, floats.data(), 3));
  EXPECT_EQ(floats, (std::array<float, 3>{-254, 0.333251953125F, 2}));

  const Handle<vicinal_index> scaled = index_of(VICINAL_STORAGE_INT8, 3);
  ASSERT_C_OK(vicinal_index_upsert(scaled.get(), 1, vector.data(), 3, nullptr));
  std::array<std::int8_t, 8> row{};
  ASSERT_EQ(vicinal_stored_bytes(VICINAL_STORAGE_INT8, 3), row.size());
  ASSERT_C_OK(vicinal_index_get_stored(scaled.get(), 1, row.data(), row.size()));
  float scale = 0;
  std::memcpy(&scale, &row[4], sizeof scale);
  EXPECT_EQ(scale, 2.0F);
  EXPECT_EQ((std::array<int, 4>{row[0], row[1], row[2], row[3]}),
            (std::array<int, 4>{-127, 0, 1, 0}));
  ASSERT_C_OK(vicinal_index_get(scaled.get(), 1, floats.data(), 3));
  EXPECT_EQ(floats, (std::array<float, 3>{-254, 0, 2}));
  vicinal_upsert_outcome outcome = -1;
  ASSERT_C_OK(vicinal_index_upsert(scaled.get(), 1, vector.data(), 3, &outcome));
  EXPECT_EQ(outcome, VICINAL_UNCHANGED);

  INITIALISED(index_options, options);
  ASSERT_C_OK(vicinal_index_get_options(scaled.get(), &options));
  EXPECT_EQ(options.storage, VICINAL_STORAGE_INT8);
}

TEST(CStorage, RefusesWhatItCannotDo) {
  const Handle<vicinal_index> halves = index_of(VICINAL_STORAGE_FLOAT16, 3);
  const std::array<float, 3> beyond = {1, 1e6F, 1};
  EXPECT_C(vicinal_index_upsert(halves.get(), 1, beyond.data(), 3, nullptr),
           VICINAL_INVALID_ARGUMENT, "component 1 is 1000000, beyond 65504");
  std::array<std::uint16_t, 3> words{};
  EXPECT_C(vicinal_index_get_stored(halves.get(), 1, words.data(), sizeof words), VICINAL_NOT_FOUND,
           "label 1");
  EXPECT_C(vicinal_index_get_stored(halves.get(), 1, words.data(), 5), VICINAL_INVALID_ARGUMENT,
           "5 bytes, a stored vector has 6");
  EXPECT_C(vicinal_index_get_stored(halves.get(), 1, nullptr, 6), VICINAL_INVALID_ARGUMENT,
           "stored is NULL");
  INITIALISED(index_options, options);
  options.dimension = 3;
  options.storage = 3;
  vicinal_index* index = nullptr;
  EXPECT_C(vicinal_index_create(&options, &index), VICINAL_INVALID_ARGUMENT,
           "storage 3 is outside 0 to 2");
}

TEST(CStorage, HasWordsAndSizes) {
  EXPECT_STREQ(vicinal_storage_name(VICINAL_STORAGE_FLOAT32), "float32");
  EXPECT_STREQ(vicinal_storage_name(VICINAL_STORAGE_FLOAT16), "float16");
  EXPECT_STREQ(vicinal_storage_name(VICINAL_STORAGE_INT8), "int8");
  EXPECT_STREQ(vicinal_storage_name(3), "unknown");
  EXPECT_STREQ(vicinal_storage_name(-1), "unknown");
  EXPECT_EQ(vicinal_stored_bytes(VICINAL_STORAGE_FLOAT32, 5), 20u);
  EXPECT_EQ(vicinal_stored_bytes(VICINAL_STORAGE_FLOAT16, 5), 10u);
  EXPECT_EQ(vicinal_stored_bytes(VICINAL_STORAGE_INT8, 5), 12u);
  EXPECT_EQ(vicinal_stored_bytes(3, 5), 0u);
  EXPECT_EQ(vicinal_stored_bytes(-1, 5), 0u);
}

}  // namespace
}  // namespace vicinal::testing
