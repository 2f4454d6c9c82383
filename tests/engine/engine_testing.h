// Shared by the engine's tests: temporary stores, vectors by seed, exact answers.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::testing {

inline constexpr std::uint32_t kDimension = 16;

/// The vector of `label` in its `generation`: computable, so that a torn read shows.
inline std::vector<float> vector_of(Label label, std::uint64_t generation = 0,
                                    std::uint32_t dimension = kDimension) {
  std::mt19937_64 random(label * 1000003 + generation * 7919 + 17);
  std::normal_distribution<float> normal;
  std::vector<float> vector(dimension);
  for (float& component : vector) component = normal(random);
  return vector;
}

inline std::vector<float> matrix_of(std::span<const Label> labels, std::uint64_t generation = 0,
                                    std::uint32_t dimension = kDimension) {
  std::vector<float> matrix;
  for (const Label label : labels) {
    const std::vector<float> row = vector_of(label, generation, dimension);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  return matrix;
}

inline std::vector<Label> labels_up_to(std::size_t count, Label first = 0) {
  std::vector<Label> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = first + i;
  return labels;
}

/// A graph from the first vector on, however few there are; flat_options() is flat until it has 500.
inline IndexOptions flat_options() {
  IndexOptions options;
  options.dimension = kDimension;
  options.M = 8;
  options.ef_construction = 60;
  options.threads = 2;
  return options;
}
inline IndexOptions small_options() {
  IndexOptions options = flat_options();
  options.reserve = 500;
  return options;
}

inline StoreOptions quick_store() {
  StoreOptions options;
  options.durability = Durability::kRelaxed;
  return options;
}

#define ASSERT_OK(expression)                                           \
  do {                                                                  \
    const ::vicinal::Status assert_ok_status = (expression);            \
    ASSERT_TRUE(assert_ok_status.ok()) << assert_ok_status.to_string(); \
  } while (false)

#define EXPECT_CODE(expression, expected, words)                           \
  do {                                                                     \
    const ::vicinal::Status expect_code_status = (expression);             \
    EXPECT_EQ(expect_code_status.code(), ::vicinal::StatusCode::expected)  \
        << expect_code_status.to_string();                                 \
    EXPECT_NE(expect_code_status.message().find(words), std::string::npos) \
        << expect_code_status.to_string();                                 \
  } while (false)

inline void expect_sound(const Index& index, bool deep = false) {
  ValidateOptions options;
  options.deep = deep;
  const Result<ValidateReport> report = index.validate(options);
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_TRUE(report->sound()) << ::testing::PrintToString(report->messages);
}

/// An index in memory of the labels below `count`.
inline Index filled(std::size_t count, IndexOptions options = small_options()) {
  Result<Index> index = Index::in_memory(options);
  EXPECT_TRUE(index.ok());
  const std::vector<Label> labels = labels_up_to(count);
  EXPECT_TRUE(index->upsert_batch(labels, matrix_of(labels, 0, options.dimension)).ok());
  return *index;
}

}  // namespace vicinal::testing
