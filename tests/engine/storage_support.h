// Shared by the tests of stored types: which type under what, and vectors that have neighbors.
#pragma once

#include <span>
#include <vector>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {

struct Case {
  Storage storage;
  Quantization quantization;
  Metric metric;
};

inline IndexOptions options_of(const Case& c, std::uint32_t dimension = 37) {
  IndexOptions options = small_options();
  options.dimension = dimension;
  options.metric = c.metric;
  options.quantization = c.quantization;
  options.storage = c.storage;
  return options;
}

/// Vectors around a few centers, so that they have neighbors.
inline std::vector<float> near_center(Label label, std::uint32_t dimension = 37) {
  std::vector<float> vector = vector_of(label, 1, dimension);
  const std::vector<float> center = vector_of(label % 23, 2, dimension);
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] = center[i] + 0.4F * vector[i];
  return vector;
}

inline std::vector<float> rows_near_centers(std::span<const Label> labels,
                                            std::uint32_t dimension = 37) {
  std::vector<float> rows;
  for (const Label label : labels) {
    const std::vector<float> row = near_center(label, dimension);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

}  // namespace vicinal::testing
