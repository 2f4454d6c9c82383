// What the int8 codes of a vector mean under each metric.
//
// Where rows are stored as int8 they are the codes, unrotated: what is traversed is what is stored, and
// only a query's own coding is an approximation. A walk row is then the stored row and, at the end of
// its stride, the meta; the scale between them meets zeros of the query. Measured: one copy of the rows
// in place of two.
//
// A vector is rotated (kernels::rotate_f32), so that no component dominates, and coded with a scale
// of its own. Distances between codes are exact distances between the *decoded* vectors. Under
// cosine the decoded vector has length 1 by choice of the scale; under squared L2 its own squared
// norm is kept. So the error of a distance shrinks with the distance itself, even where all vectors
// lie in one corner: with lengths taken from the originals it would shrink with their norms only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/kernels.h"
#include "vicinal/types.h"

namespace vicinal::graph {

inline kernels::CodeMeta code_meta_for(Metric metric, const kernels::KernelTable::Encoded& e) {
  if (e.sum_squares == 0) return {};
  const auto squares = static_cast<double>(e.sum_squares);
  if (metric == Metric::kCosine) return {static_cast<float>(1.0 / std::sqrt(squares)), 0.0f};
  // The scale that brings the decoded vector nearest to the original.
  const double scale = static_cast<double>(e.inner) / squares;
  if (metric == Metric::kInnerProduct) return {static_cast<float>(scale), 0.0f};
  return {static_cast<float>(scale), static_cast<float>(scale * scale * squares)};
}

/// How far a distance between codes may lie from the one between the vectors, for all that will ever
/// be met: five standard deviations. `scale`, `other`: of the two codes; `distance`: between them.
/// A component is off by up to half a step, evenly; the rotation makes one independent of another.
/// Both vectors are off alike where they are alike, so it is their difference whose length counts;
/// under inner product, where that is not known, a length that no code exceeds.
inline float code_distance_error(Metric metric, float scale, float other, float distance,
                                 std::size_t dimension) {
  constexpr double kDeviations = 5;
  // In double: squares of what float32 has room for may not have room in it.
  const double one = scale;
  const double two = other;
  const double per_unit = (one * one + two * two) / 12;
  const double apart = std::max(distance, 0.0f);
  const auto n = static_cast<double>(dimension);
  double error = 0;
  switch (metric) {
    case Metric::kCosine:
      error = kDeviations * std::sqrt(2 * apart * per_unit) + n * per_unit;
      break;
    case Metric::kSquaredL2:
      error = 2 * kDeviations * std::sqrt(apart * per_unit) + 2 * n * per_unit;
      break;
    case Metric::kInnerProduct:
      error = kDeviations * 127 * one * two * std::sqrt(n / 6);
      break;
  }
  return static_cast<float>(error);
}

/// The meta of a stored int8 row with this scale: exact.
inline kernels::CodeMeta code_meta_of_row(Metric metric, const std::int8_t* codes,
                                          std::size_t dimension, float scale) {
  std::int64_t squares = 0;
  for (std::size_t i = 0; i < dimension; ++i) squares += std::int64_t{codes[i]} * codes[i];
  if (squares == 0) return {};
  const auto sum = static_cast<double>(squares);
  if (metric == Metric::kCosine) return {static_cast<float>(1.0 / std::sqrt(sum)), 0.0f};
  if (metric == Metric::kInnerProduct) return {scale, 0.0f};
  return {scale, static_cast<float>(double{scale} * double{scale} * sum)};
}

/// The query side of distance(query, row): see kernels::CodeQuery. `codes` zero beyond the
/// dimension.
inline kernels::CodeQuery code_query_for(Metric metric, const kernels::CodeMeta& meta,
                                         const std::int8_t* codes, std::size_t bytes,
                                         std::int32_t sum) {
  const bool l2 = metric == Metric::kSquaredL2;
  return {codes, bytes, l2 ? -2.0f * meta.scale : -meta.scale, l2 ? meta.bias : 1.0f, sum};
}

}  // namespace vicinal::graph
