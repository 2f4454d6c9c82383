// An index as bytes through the C ABI.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

struct Bytes {
  std::vector<unsigned char> all;
  std::size_t read = 0;
  std::size_t most = ~std::size_t{0};  ///< a call gives or takes
  vicinal_status answers = VICINAL_OK;
};

vicinal_status put(void* context, const void* bytes, std::size_t count) {
  auto& to = *static_cast<Bytes*>(context);
  const auto* const from = static_cast<const unsigned char*>(bytes);
  to.all.insert(to.all.end(), from, from + count);
  return to.answers;
}

vicinal_status take(void* context, void* room, std::size_t capacity, std::size_t* count) {
  auto& from = *static_cast<Bytes*>(context);
  *count = std::min({capacity, from.all.size() - from.read, from.most});
  std::copy_n(from.all.begin() + static_cast<std::ptrdiff_t>(from.read), *count,
              static_cast<unsigned char*>(room));
  from.read += *count;
  return from.answers;
}

Handle<vicinal_index> loaded(Bytes& bytes) {
  vicinal_index* index = nullptr;
  EXPECT_C_OK(vicinal_index_load(take, &bytes, nullptr, &index));
  return Handle<vicinal_index>(index);
}

void expect_holds(vicinal_index* index, std::size_t count) {
  std::uint64_t size = 0;
  ASSERT_C_OK(vicinal_index_size(index, &size));
  EXPECT_EQ(size, count);
  for (Label label = 0; label < count; ++label) {
    std::vector<float> vector(kDimension);
    ASSERT_C_OK(vicinal_index_get(index, label, vector.data(), kDimension));
    EXPECT_EQ(vector, vector_of(label));
  }
}

TEST(CStream, WhatIsSavedIsLoadedWholeFromPiecesOfAnySize) {
  for (const std::size_t count : {0u, 1u, 100u, 900u}) {
    const auto index = c_index();
    fill(index.get(), count);
    Bytes bytes;
    ASSERT_C_OK(vicinal_index_save(index.get(), put, &bytes));
    bytes.most = 1000;
    const auto back = loaded(bytes);
    ASSERT_NE(back, nullptr);
    EXPECT_EQ(bytes.read, bytes.all.size());
    expect_holds(back.get(), count);
  }
}

TEST(CStream, WhatTheCallbacksAnswerIsTheAnswer) {
  const auto index = c_index();
  fill(index.get(), 20);
  Bytes bytes;
  bytes.answers = VICINAL_FULL;
  EXPECT_C(vicinal_index_save(index.get(), put, &bytes), VICINAL_FULL, "the sink answered 3");
  bytes.answers = 4711;
  EXPECT_C(vicinal_index_save(index.get(), put, &bytes), VICINAL_IO_ERROR, "4711");
  for (const vicinal_status of_the_border : {VICINAL_OUT_OF_MEMORY, VICINAL_INTERNAL}) {
    bytes.answers = of_the_border;
    EXPECT_C(vicinal_index_save(index.get(), put, &bytes), of_the_border, "the sink answered 10");
    vicinal_index* made = nullptr;
    EXPECT_C(vicinal_index_load(take, &bytes, nullptr, &made), of_the_border, "the source");
  }
  bytes = {};
  ASSERT_C_OK(vicinal_index_save(index.get(), put, &bytes));
  bytes.answers = VICINAL_CANCELLED;
  auto* none = reinterpret_cast<vicinal_index*>(&bytes);
  EXPECT_C(vicinal_index_load(take, &bytes, nullptr, &none), VICINAL_CANCELLED, "the source");
  EXPECT_EQ(none, nullptr);
  bytes.answers = VICINAL_OK;
  bytes.read = 0;
  bytes.all.resize(bytes.all.size() - 1);
  EXPECT_C(vicinal_index_load(take, &bytes, nullptr, &none), VICINAL_CORRUPTION, "");
  const auto too_many = [](void*, void*, std::size_t capacity, std::size_t* count) {
    *count = capacity + 1;
    return vicinal_status{VICINAL_OK};
  };
  EXPECT_C(vicinal_index_load(too_many, nullptr, nullptr, &none), VICINAL_INVALID_ARGUMENT, "room");
  vicinal_index_options other = small_c_options(kDimension + 1);
  bytes.read = 0;
  EXPECT_C(vicinal_index_load(take, &bytes, &other, &none), VICINAL_INVALID_ARGUMENT,
           std::to_string(kDimension));
}

vicinal_status write_to_pipe(void* context, const void* bytes, std::size_t count) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(*static_cast<int*>(context), at, count);
    if (written <= 0) return VICINAL_IO_ERROR;
    at += written;
    count -= static_cast<std::size_t>(written);
  }
  return VICINAL_OK;
}

TEST(CStream, AChildSavesWhileWritesArePaused) {
  const auto index = c_index();
  fill(index.get(), 300);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  vicinal_paused_writes* paused = nullptr;
  ASSERT_C_OK(vicinal_index_pause_writes(index.get(), &paused));
  const std::vector<float> vector = vector_of(1);
  EXPECT_C(vicinal_index_upsert(index.get(), 1, vector.data(), kDimension, nullptr), VICINAL_BUSY,
           "");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    ::_exit(vicinal_paused_writes_save(paused, write_to_pipe, &ends[1]) == VICINAL_OK ? 0 : 1);
  }
  vicinal_paused_writes_free(paused);
  ::close(ends[1]);
  ASSERT_GT(child, 0);
  Bytes bytes;
  std::vector<unsigned char> some(4096);
  for (ssize_t n = 0; (n = ::read(ends[0], some.data(), some.size())) > 0;) {
    bytes.all.insert(bytes.all.end(), some.begin(), some.begin() + n);
  }
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto back = loaded(bytes);
  ASSERT_NE(back, nullptr);
  expect_holds(back.get(), 300);
  ASSERT_C_OK(vicinal_index_upsert(index.get(), 1000, vector.data(), kDimension, nullptr));
}

}  // namespace
}  // namespace vicinal::testing
