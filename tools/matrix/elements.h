// Elements of vector files: the kinds of numbers that are read, and how each becomes a float32.
//
// Ownership: none.
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vicinal::matrix {

enum class ElementKind : std::uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64,
};

struct Element {
  ElementKind kind = ElementKind::kFloat32;
  bool swapped = false;  ///< big-endian

  std::size_t bytes() const;
  bool whole() const { return kind < ElementKind::kFloat16; }
  /// Whether float32 holds every value.
  bool exact() const;
};

/// The element that numpy's `descr` names: "<f4", ">i2", "|u1"; nothing when it is none of those
/// above.
std::optional<Element> element_of(std::string_view descr);

/// Writes `n` elements as floats, each the nearest. Nothing when all are in float32's range; else
/// the first that is not: its position and value. NaN and infinity pass.
struct OutOfRange {
  std::size_t at = 0;
  double value = 0;
};
std::optional<OutOfRange> widen(const std::byte* from, Element element, std::size_t n, float* to);

/// The element at `from` as a label; nothing when it is negative. Only for whole ones.
std::optional<std::uint64_t> to_label(const std::byte* from, Element element);

/// The value of an IEEE half-precision number, exact.
float half_to_float(std::uint16_t half);

/// The value as a float, infinite where it is out of range.
float narrow(double value);

}  // namespace vicinal::matrix
