// The vectors of the decision record's tables: computed from a seed and a label, never stored
// whole, and the same on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vicinal/types.h"

namespace vicinal::bench {

enum class Shape {
  kUniform,    ///< every component uniform in [-1, 1), as the record's were
  kClustered,  ///< around 1,000 such centers, each component off by 0.3 (one standard deviation)
};

std::string shape_name(Shape shape);

class Vectors {
 public:
  Vectors(Shape shape, std::uint32_t dimension, std::uint64_t seed);

  /// Rows of the labels first, first + 1, ...
  std::vector<float> rows(Label first, std::uint64_t count) const;
  /// Rows that no label has.
  std::vector<float> queries(std::uint64_t count) const;

  Shape shape() const { return shape_; }
  std::uint32_t dimension() const { return dimension_; }

 private:
  void fill(Label label, std::span<float> row) const;

  Shape shape_;
  std::uint32_t dimension_;
  std::uint64_t seed_;
  std::vector<float> centers_;
};

}  // namespace vicinal::bench
