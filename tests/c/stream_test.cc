// An index as bytes through the C ABI.
#include <cstring>
#include <vector>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

struct Bytes {
  std::vector<char> all;
  std::size_t at = 0;
  vicinal_status answer = VICINAL_OK;

  static vicinal_status put(void* context, const void* bytes, std::size_t count) {
    auto& to = *static_cast<Bytes*>(context);
    const char* const first = static_cast<const char*>(bytes);
    to.all.insert(to.all.end(), first, first + count);
    return to.answer;
  }
  static vicinal_status get(void* context, void* room, std::size_t capacity, std::size_t* count) {
    auto& from = *static_cast<Bytes*>(context);
    *count = std::min(capacity, from.all.size() - from.at);
    std::memcpy(room, from.all.data() + from.at, *count);
    from.at += *count;
    return from.answer;
  }
};

Handle<vicinal_index> c_loaded(Bytes& bytes) {
  vicinal_index* index = nullptr;
  bytes.at = 0;
  EXPECT_C_OK(vicinal_index_load(Bytes::get, &bytes, nullptr, &index));
  return Handle<vicinal_index>(index);
}

TEST(CStream, ComesBackAsItWas) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 700);
  Bytes bytes;
  ASSERT_C_OK(vicinal_index_save(index.get(), Bytes::put, &bytes));
  const Handle<vicinal_index> copy = c_loaded(bytes);
  EXPECT_EQ(size_of(copy.get()), 700u);
  Bytes again;
  ASSERT_C_OK(vicinal_index_save(copy.get(), Bytes::put, &again));
  EXPECT_EQ(bytes.all, again.all);
}

TEST(CStream, PausedWritesAreSavedAndGoOn) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 100);
  vicinal_paused_writes* paused = nullptr;
  ASSERT_C_OK(vicinal_index_pause_writes(index.get(), &paused));
  const std::vector<float> row = vector_of(1000);
  EXPECT_C(vicinal_index_upsert(index.get(), 1000, row.data(), kDimension, nullptr), VICINAL_BUSY,
           "paused");
  Bytes bytes;
  EXPECT_C_OK(vicinal_paused_writes_save(paused, Bytes::put, &bytes));
  vicinal_paused_writes_free(paused);
  vicinal_paused_writes_free(nullptr);
  EXPECT_C_OK(vicinal_index_upsert(index.get(), 1000, row.data(), kDimension, nullptr));
  EXPECT_EQ(size_of(c_loaded(bytes).get()), 100u);
}

TEST(CStream, ErrorsComeThrough) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 100);
  Bytes bytes;
  for (const vicinal_status answered : {vicinal_status{VICINAL_FULL}, vicinal_status{77}}) {
    const vicinal_status expected = answered == 77 ? VICINAL_IO_ERROR : answered;
    bytes.answer = answered;
    EXPECT_C(vicinal_index_save(index.get(), Bytes::put, &bytes), expected, "the sink failed");
    vicinal_index* loaded = nullptr;
    EXPECT_C(vicinal_index_load(Bytes::get, &bytes, nullptr, &loaded), expected,
             "the source failed");
    EXPECT_EQ(loaded, nullptr);
  }
  bytes = {};
  ASSERT_C_OK(vicinal_index_save(index.get(), Bytes::put, &bytes));
  bytes.all.resize(bytes.all.size() / 2);
  vicinal_index* loaded = nullptr;
  EXPECT_C(vicinal_index_load(Bytes::get, &bytes, nullptr, &loaded), VICINAL_CORRUPTION,
           "ends after");
  EXPECT_C(vicinal_index_load(nullptr, nullptr, nullptr, &loaded), VICINAL_INVALID_ARGUMENT,
           "source is NULL");
  EXPECT_C(vicinal_index_load(Bytes::get, &bytes, nullptr, nullptr), VICINAL_INVALID_ARGUMENT,
           "index is NULL");
  EXPECT_C(vicinal_index_save(index.get(), nullptr, nullptr), VICINAL_INVALID_ARGUMENT,
           "sink is NULL");
  EXPECT_C(vicinal_index_save(nullptr, Bytes::put, &bytes), VICINAL_INVALID_ARGUMENT,
           "index is NULL");
  EXPECT_C(vicinal_index_pause_writes(index.get(), nullptr), VICINAL_INVALID_ARGUMENT,
           "paused is NULL");
  EXPECT_C(vicinal_paused_writes_save(nullptr, Bytes::put, &bytes), VICINAL_INVALID_ARGUMENT,
           "paused is NULL");
}

}  // namespace
}  // namespace vicinal::testing
