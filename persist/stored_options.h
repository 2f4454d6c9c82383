// StoredOptions: what is stored with an index for good, and must agree when it is opened again.
//
// Ownership: a plain value.
// Threads: as any value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/types.h"
#include "vicinal/options.h"

namespace vicinal::persist {

/// The options of an index that are stored with it.
struct StoredOptions {
  std::uint32_t dimension = 0;
  Metric metric = Metric::kCosine;
  std::uint32_t M = 16;
  std::uint32_t ef_construction = 200;
  std::uint32_t ef_search = 64;
  Quantization quantization = Quantization::kInt8;
  std::uint64_t seed = 42;
  Storage storage = Storage::kFloat32;

  graph::RowShape row_shape() const { return {dimension, storage}; }

  friend bool operator==(const StoredOptions&, const StoredOptions&) = default;
};

/// Rows of an index that is not loaded, with what they are.
struct StoredVectors {
  graph::RowShape shape;
  std::vector<std::vector<std::byte>> rows;  ///< empty where a label is not live
};

}  // namespace vicinal::persist
