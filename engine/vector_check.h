// Which vectors an index takes: the one place that refuses bad numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "graph/graph.h"
#include "kernels/kernels.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::engine {

/// What is stored was taken before, perhaps by an earlier release: under inner product that took squared
/// norms up to FLT_MAX.
enum class VectorOf : bool { kCaller, kStored };

/// OK when `vector` has `dimension` finite components and a norm that the metric can work with:
/// under cosine the norm (in double) and its inverse are normal floats; under inner product and
/// squared L2 the squared norm is at most 2^125: so every distance is finite. `what` ("row 17: ") opens
/// the message.
Status check_vector(const kernels::KernelTable& kernels, Metric metric, std::uint32_t dimension,
                    std::span<const float> vector, const std::string& what = {},
                    VectorOf whose = VectorOf::kCaller);

/// The row of a vector: of the vector itself where it is stored as float32, else in `room`. A row is
/// taken when check_vector() takes the vector and what its row decodes to.
/// Errors: as check_vector(); kInvalidArgument  the type of the rows has no number for it.
Result<std::span<const std::byte>> row_of(const graph::Graph& graph, std::span<const float> vector,
                                          std::span<std::byte> room);

/// OK when `values` is `rows` rows of `dimension`.
Status check_shape(std::uint32_t dimension, std::size_t rows, std::size_t values);

}  // namespace vicinal::engine
