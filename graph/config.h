// Config: what a graph is told when it is made. Constant from then on.
#pragma once

#include <cstdint>

#include "graph/types.h"
#include "vicinal/types.h"

namespace vicinal::graph {

struct Config {
  std::uint64_t seed = 42;
  std::uint32_t dimension = 0;
  std::uint32_t M = 16;
  std::uint32_t ef_construction = 200;
  /// Below as many slots a graph is flat (flat.h); 0: never.
  std::uint32_t smallest_graph = 0;
  Metric metric = Metric::kCosine;
  Quantization quantization = Quantization::kInt8;
  Storage storage = Storage::kFloat32;
  /// False: rows are not kept here; searches and scans get them from a RowSource. Needs kInt8, and
  /// rows that are not traversed themselves.
  bool keep_vectors = true;

  RowShape row_shape() const { return {dimension, storage}; }
  /// Whether the rows themselves are the int8 codes that are traversed (codes.h).
  bool rows_are_codes() const {
    return quantization == Quantization::kInt8 && storage == Storage::kInt8;
  }
};

/// Whether a flat graph may have so many slots.
inline bool fits_flat(const Config& config, std::uint64_t slots) {
  constexpr std::uint64_t kMostRowBytes = std::uint64_t{2} << 20;
  return slots < config.smallest_graph && slots * config.row_shape().bytes() < kMostRowBytes;
}

}  // namespace vicinal::graph
