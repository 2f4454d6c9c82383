#include "engine/vector_check.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "engine/base/allocator.h"
#include "engine/base/check.h"
#include "graph/row_codec.h"

namespace vicinal::engine {
namespace {

constexpr double kMaxFloat = std::numeric_limits<float>::max();
// Two vectors of this length are at most 4 times it apart, squared; and nothing is lost to rounding.
constexpr double kLargestSquaredNorm = 0x1p125;
constexpr double kMinNormalFloat = std::numeric_limits<float>::min();

Status check_finite(std::span<const float> vector, const std::string& what) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (std::isfinite(vector[i])) continue;
    return Status::invalid_argument(
        fmt::format("{}component {} is {}, not a finite number", what, i, vector[i]));
  }
  return {};
}

}  // namespace

Status check_vector(const kernels::KernelTable& kernels, Metric metric, std::uint32_t dimension,
                    std::span<const float> vector, const std::string& what, VectorOf whose) {
  if (vector.size() != dimension) {
    return Status::invalid_argument(
        fmt::format("{}dimension {}, index has {}", what, vector.size(), dimension));
  }
  if (!kernels.all_finite_f32(vector.data(), vector.size())) return check_finite(vector, what);
  const double norm = kernels.norm_f32(vector.data(), vector.size());
  if (metric == Metric::kCosine) {
    if (norm == 0) {
      return Status::invalid_argument(
          fmt::format("{}norm 0: a zero vector has no direction under cosine", what));
    }
    if (norm > 1 / kMinNormalFloat || norm < 1 / kMaxFloat) {
      return Status::invalid_argument(
          fmt::format("{}norm {} is outside [{}, {}], what cosine can normalize", what, norm,
                      1 / kMaxFloat, 1 / kMinNormalFloat));
    }
    return {};
  }
  const bool before = whose == VectorOf::kStored && metric == Metric::kInnerProduct;
  const double largest = before ? kMaxFloat : kLargestSquaredNorm;
  if (norm * norm > largest) {
    return Status::invalid_argument(
        fmt::format("{}squared norm {} is beyond {}, the most that leaves every distance finite",
                    what, norm * norm, largest));
  }
  return {};
}

Result<std::span<const std::byte>> row_of(const graph::Graph& graph, std::span<const float> vector,
                                          std::span<std::byte> room) {
  const graph::Config& config = graph.config();
  const auto check = [&](std::span<const float> v) {
    return check_vector(graph.kernels(), config.metric, config.dimension, v);
  };
  if (const Status status = check(vector); !status.ok()) return status;
  if (config.storage == Storage::kFloat32) return std::as_bytes(vector);
  const std::span<std::byte> row = room.first(config.row_shape().bytes());
  if (const Status status = graph.codec().encode(vector.data(), row.data()); !status.ok()) {
    return status;
  }
  internal::Vector<float> decoded(config.dimension);
  graph.codec().decode(row.data(), decoded.data());
  if (const Status status = check(decoded); !status.ok()) {
    return Status(status.code(), fmt::format("as stored in {}: {}", storage_name(config.storage),
                                             status.message()));
  }
  return std::span<const std::byte>(row);
}

Status check_shape(std::uint32_t dimension, std::size_t rows, std::size_t values) {
  if (values % dimension == 0 && values / dimension == rows) return {};
  return Status::invalid_argument(fmt::format("{} values for {} rows of dimension {}: {} expected",
                                              values, rows, dimension,
                                              static_cast<double>(rows) * dimension));
}

}  // namespace vicinal::engine
