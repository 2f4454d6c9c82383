#include "tools/matrix/elements.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

namespace vicinal::matrix {
namespace {

static_assert(std::endian::native == std::endian::little, "vector files are read as they stand");

struct Kind {
  std::string_view name;  ///< as numpy's, without the byte order
  ElementKind kind;
  std::size_t bytes;
  bool exact;
};
constexpr std::array<Kind, 12> kKinds = {{{"b1", ElementKind::kBool, 1, true},
                                          {"i1", ElementKind::kInt8, 1, true},
                                          {"i2", ElementKind::kInt16, 2, true},
                                          {"i4", ElementKind::kInt32, 4, false},
                                          {"i8", ElementKind::kInt64, 8, false},
                                          {"u1", ElementKind::kUint8, 1, true},
                                          {"u2", ElementKind::kUint16, 2, true},
                                          {"u4", ElementKind::kUint32, 4, false},
                                          {"u8", ElementKind::kUint64, 8, false},
                                          {"f2", ElementKind::kFloat16, 2, true},
                                          {"f4", ElementKind::kFloat32, 4, true},
                                          {"f8", ElementKind::kFloat64, 8, false}}};

const Kind& kind_of(ElementKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

template <typename T>
T element_at(const std::byte* from, bool swapped) {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), from, sizeof(T));
  if (swapped) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

template <typename T>
std::optional<OutOfRange> widen_as(const std::byte* from, bool swapped, std::size_t n, float* to) {
  for (std::size_t i = 0; i < n; ++i) {
    const T value = element_at<T>(from + i * sizeof(T), swapped);
    if constexpr (std::is_same_v<T, double>) {
      to[i] = narrow(value);
      if (std::isinf(to[i]) && std::isfinite(value)) return OutOfRange{i, value};
    } else {
      to[i] = static_cast<float>(value);
    }
  }
  return std::nullopt;
}

template <typename T>
std::optional<std::uint64_t> label_as(const std::byte* from, bool swapped) {
  const T value = element_at<T>(from, swapped);
  if constexpr (std::is_signed_v<T>) {
    if (value < 0) return std::nullopt;
  }
  return static_cast<std::uint64_t>(value);
}

}  // namespace

std::size_t Element::bytes() const { return kind_of(kind).bytes; }
bool Element::exact() const { return kind_of(kind).exact; }

std::optional<Element> element_of(std::string_view descr) {
  if (descr.size() != 3) return std::nullopt;
  const char order = descr.front();
  if (order != '<' && order != '>' && order != '|' && order != '=') return std::nullopt;
  for (const Kind& kind : kKinds) {
    if (descr.substr(1) == kind.name) return Element{kind.kind, order == '>' && kind.bytes > 1};
  }
  return std::nullopt;
}

std::optional<OutOfRange> widen(const std::byte* from, Element element, std::size_t n, float* to) {
  const bool swapped = element.swapped;
  switch (element.kind) {
    case ElementKind::kBool:
    case ElementKind::kUint8:
      return widen_as<std::uint8_t>(from, swapped, n, to);
    case ElementKind::kInt8:
      return widen_as<std::int8_t>(from, swapped, n, to);
    case ElementKind::kInt16:
      return widen_as<std::int16_t>(from, swapped, n, to);
    case ElementKind::kInt32:
      return widen_as<std::int32_t>(from, swapped, n, to);
    case ElementKind::kInt64:
      return widen_as<std::int64_t>(from, swapped, n, to);
    case ElementKind::kUint16:
      return widen_as<std::uint16_t>(from, swapped, n, to);
    case ElementKind::kUint32:
      return widen_as<std::uint32_t>(from, swapped, n, to);
    case ElementKind::kUint64:
      return widen_as<std::uint64_t>(from, swapped, n, to);
    case ElementKind::kFloat16:
      for (std::size_t i = 0; i < n; ++i) {
        to[i] = half_to_float(element_at<std::uint16_t>(from + 2 * i, swapped));
      }
      return std::nullopt;
    case ElementKind::kFloat32:
      if (swapped) return widen_as<float>(from, swapped, n, to);
      std::memcpy(to, from, n * sizeof(float));
      return std::nullopt;
    case ElementKind::kFloat64:
      return widen_as<double>(from, swapped, n, to);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> to_label(const std::byte* from, Element element) {
  const bool swapped = element.swapped;
  switch (element.kind) {
    case ElementKind::kInt8:
      return label_as<std::int8_t>(from, swapped);
    case ElementKind::kInt16:
      return label_as<std::int16_t>(from, swapped);
    case ElementKind::kInt32:
      return label_as<std::int32_t>(from, swapped);
    case ElementKind::kInt64:
      return label_as<std::int64_t>(from, swapped);
    case ElementKind::kUint8:
      return label_as<std::uint8_t>(from, swapped);
    case ElementKind::kUint16:
      return label_as<std::uint16_t>(from, swapped);
    case ElementKind::kUint32:
      return label_as<std::uint32_t>(from, swapped);
    case ElementKind::kUint64:
      return label_as<std::uint64_t>(from, swapped);
    case ElementKind::kBool:
    case ElementKind::kFloat16:
    case ElementKind::kFloat32:
    case ElementKind::kFloat64:
      break;
  }
  return std::nullopt;
}

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1Fu;
  const std::uint32_t mantissa = half & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact in float
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t widened = exponent == 0x1F ? 0xFFu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (widened << 23) | (mantissa << 13));
}

float narrow(double value) {
  // What is nearer to the next power of two than to the largest float.
  constexpr double kBeyond = 0x1.ffffffp127;
  if (value >= kBeyond) return std::numeric_limits<float>::infinity();
  if (value <= -kBeyond) return -std::numeric_limits<float>::infinity();
  if (value > std::numeric_limits<float>::max()) return std::numeric_limits<float>::max();
  if (value < std::numeric_limits<float>::lowest()) return std::numeric_limits<float>::lowest();
  return static_cast<float>(value);
}

}  // namespace vicinal::matrix
