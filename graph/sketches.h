// Sketches: two bits a component, by which walks of many dimensions go.
//
// What: a neighbor enters a walk's pool by its sketch, a quarter of its code; the codes of what the
// walk leaves in the pool are read at its end. At 1,536 dimensions most of a walk's bytes are rows
// that are looked at once and dropped.
// How: component i of a code stands for -1.5, -0.5, 0.5 or 1.5 times the row's root mean square, and
// the row's factor is the one that makes the estimate of <v, v> right. It is made from the code, by
// integers alone: the same on every CPU, and of the same code the same (copies.h).
// Threads: as codes: written before the node is linked (G4).
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/config.h"
#include "kernels/kernels.h"

namespace vicinal::graph {

/// From how many dimensions on a graph of int8 codes has sketches. A rule and no measurement: links
/// come from walks, and a batch gives the same links on every CPU.
inline constexpr std::uint32_t kSketchDimensions = 512;

inline bool has_sketches(const Config& config) {
  return config.quantization == Quantization::kInt8 && config.dimension >= kSketchDimensions;
}

/// Writes the sketch of a code row of `code_stride` bytes to `out`, sketch_stride(dimension) bytes.
void make_sketch(const std::byte* code_row, std::size_t code_stride, std::size_t dimension,
                 std::byte* out);

/// The query of sketches for the codes of a query, 4 * sketch_bytes(sketch_stride(dimension)) bytes
/// to `out`.
void spread_query(const std::int8_t* codes, std::size_t dimension, std::int8_t* out);

}  // namespace vicinal::graph
