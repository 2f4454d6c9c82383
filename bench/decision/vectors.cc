#include "bench/decision/vectors.h"

#include <cmath>

namespace vicinal::bench {
namespace {

constexpr std::uint64_t kCenters = 1000;
constexpr Label kFirstCenter = Label{1} << 41;
constexpr Label kFirstQuery = Label{1} << 40;
constexpr float kSpread = 0.3f;

/// splitmix64. The standard library's distributions differ between implementations.
std::uint64_t next(std::uint64_t* state) {
  std::uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// Uniform in [-1, 1).
float uniform(std::uint64_t* state) {
  return static_cast<float>(static_cast<std::int64_t>(next(state)) >> 40) * 0x1p-23f;
}

/// Close to normal with standard deviation 1: four uniform numbers have variance 4/3 together.
float bell(std::uint64_t* state) {
  const float sum = (uniform(state) + uniform(state)) + (uniform(state) + uniform(state));
  return sum * 0.8660254f;
}

}  // namespace

std::string shape_name(Shape shape) { return shape == Shape::kUniform ? "uniform" : "clustered"; }

Vectors::Vectors(Shape shape, std::uint32_t dimension, std::uint64_t seed)
    : shape_(Shape::kUniform), dimension_(dimension), seed_(seed) {
  if (shape == Shape::kClustered) centers_ = rows(kFirstCenter, kCenters);
  shape_ = shape;
}

void Vectors::fill(Label label, std::span<float> row) const {
  std::uint64_t state = seed_ ^ (label * 0xD1342543DE82EF95u);
  state = next(&state);
  if (shape_ == Shape::kUniform) {
    for (float& component : row) component = uniform(&state);
    return;
  }
  const float* const center = centers_.data() + next(&state) % kCenters * dimension_;
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = center[i] + kSpread * bell(&state);
}

std::vector<float> Vectors::rows(Label first, std::uint64_t count) const {
  std::vector<float> all(count * dimension_);
  for (std::uint64_t i = 0; i < count; ++i) {
    fill(first + i, std::span(all).subspan(i * dimension_, dimension_));
  }
  return all;
}

std::vector<float> Vectors::queries(std::uint64_t count) const { return rows(kFirstQuery, count); }

}  // namespace vicinal::bench
