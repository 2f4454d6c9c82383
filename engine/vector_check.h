// Which vectors an index takes: the one place that refuses bad numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernels/kernels.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::engine {

/// OK when `vector` has `dimension` finite components and a norm that the metric can work with:
/// under cosine the norm (in double) and its inverse are normal floats; under inner product and
/// squared L2 the squared norm is at most 2^125, under inner product FLT_MAX: so every distance is
/// finite. `what` ("row 17: ") opens the message.
Status check_vector(const kernels::KernelTable& kernels, Metric metric, std::uint32_t dimension,
                    std::span<const float> vector, const std::string& what = {});

/// OK when `values` is `rows` rows of `dimension`.
Status check_shape(std::uint32_t dimension, std::size_t rows, std::size_t values);

}  // namespace vicinal::engine
