// Shared by the tests of the C ABI: handles that free themselves, and the two assertions.
#pragma once

#include <gtest/gtest.h>
#include <vicinal.h>

#include <memory>
#include <string>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {

struct FreeHandle {
  void operator()(vicinal_store* store) const { vicinal_store_free(store); }
  void operator()(vicinal_index* index) const { vicinal_index_free(index); }
  void operator()(vicinal_label_set* set) const { vicinal_label_set_free(set); }
  void operator()(vicinal_hits* hits) const { vicinal_hits_free(hits); }
};
template <typename T>
using Handle = std::unique_ptr<T, FreeHandle>;

#define ASSERT_C_OK(call) ASSERT_EQ((call), VICINAL_OK) << vicinal_last_message()
#define EXPECT_C_OK(call) EXPECT_EQ((call), VICINAL_OK) << vicinal_last_message()

#define EXPECT_C(call, expected, words)                                           \
  do {                                                                            \
    EXPECT_EQ((call), expected) << vicinal_last_message();                        \
    EXPECT_NE(std::string(vicinal_last_message()).find(words), std::string::npos) \
        << vicinal_last_message();                                                \
  } while (false)

/// A struct as its initialiser leaves it.
#define INITIALISED(kind, name) \
  vicinal_##kind name;          \
  ASSERT_C_OK(vicinal_##kind##_init(&(name), sizeof(name)))

inline vicinal_index_options small_c_options(std::uint32_t dimension = kDimension) {
  vicinal_index_options options;
  EXPECT_C_OK(vicinal_index_options_init(&options, sizeof options));
  options.dimension = dimension;
  options.M = 8;
  options.ef_construction = 60;
  options.threads = 2;
  return options;
}

inline vicinal_store_options quick_c_store() {
  vicinal_store_options options;
  EXPECT_C_OK(vicinal_store_options_init(&options, sizeof options));
  options.durability = VICINAL_DURABILITY_RELAXED;
  return options;
}

inline Handle<vicinal_index> c_index(const vicinal_index_options& options = small_c_options()) {
  vicinal_index* index = nullptr;
  EXPECT_C_OK(vicinal_index_create(&options, &index));
  return Handle<vicinal_index>(index);
}

inline Handle<vicinal_store> open_c_store(const std::string& path,
                                          const vicinal_store_options& options = quick_c_store()) {
  vicinal_store* store = nullptr;
  EXPECT_C_OK(vicinal_store_open(path.c_str(), &options, &store));
  return Handle<vicinal_store>(store);
}

inline Handle<vicinal_index> index_in(vicinal_store* store, const char* name,
                                      const vicinal_index_options& options = small_c_options()) {
  vicinal_index* index = nullptr;
  EXPECT_C_OK(vicinal_store_index(store, name, &options, &index));
  return Handle<vicinal_index>(index);
}

/// Stores the vectors of the labels below `count`.
inline void fill(vicinal_index* index, std::size_t count) {
  const std::vector<Label> labels = labels_up_to(count);
  const std::vector<float> rows = matrix_of(labels);
  ASSERT_C_OK(vicinal_index_upsert_batch(index, labels.data(), rows.data(), count, kDimension,
                                         nullptr, nullptr));
}

inline std::uint64_t size_of(const vicinal_index* index) {
  std::uint64_t size = 0;
  EXPECT_C_OK(vicinal_index_size(index, &size));
  return size;
}

}  // namespace vicinal::testing
