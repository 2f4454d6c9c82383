#include "graph/sketches.h"

#include <algorithm>
#include <cstring>

namespace vicinal::graph {
namespace {

// Calls each(component, place, count) for every run of components that stand together.
template <typename Each>
void for_each_run(std::size_t dimension, std::size_t stride, const Each& each) {
  const std::size_t whole = kernels::sketch_bytes(stride) - (stride % 64 == 0 ? 64 : 0);
  const std::size_t last = std::min(dimension, 4 * whole);
  if (last > 0) each(std::size_t{0}, std::size_t{0}, last);
  constexpr std::size_t kRun = 64 - sizeof(kernels::CodeMeta);
  for (std::size_t i = last; i < dimension; i += kRun) {
    each(i, kernels::sketch_place(i, stride), std::min(kRun, dimension - i));
  }
}

}  // namespace

void make_sketch(const std::byte* code_row, std::size_t code_stride, std::size_t dimension,
                 std::byte* out) {
  const std::size_t stride = kernels::sketch_stride(dimension);
  const auto* const codes = reinterpret_cast<const std::int8_t*>(code_row);
  std::int64_t squares = 0;
  for (std::size_t i = 0; i < dimension; ++i) squares += std::int32_t{codes[i]} * codes[i];
  // |code| beyond the root mean square: code^2 * dimension > squares.
  std::int32_t limit = 0;
  while (std::int64_t{limit + 1} * (limit + 1) * static_cast<std::int64_t>(dimension) <= squares) {
    ++limit;
  }
  std::memset(out, 0, stride);
  std::int64_t inner = 0;  // of the code and 2 c
  for_each_run(dimension, stride, [&](std::size_t i, std::size_t place, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) {
      const std::int32_t code = codes[i + k];
      const std::int32_t u = code < 0 ? (code < -limit ? 0 : 1) : (code > limit ? 3 : 2);
      inner += std::int64_t{2 * u - 3} * code;
      const std::size_t at = place + k;
      out[at / 256 * 64 + at % 64] |= static_cast<std::byte>(u << (at % 256 / 64 * 2));
    }
  });
  kernels::CodeMeta meta = kernels::code_meta(code_row, code_stride);
  meta.scale = inner == 0 ? 0.0f
                          : static_cast<float>(double{meta.scale} * static_cast<double>(squares) /
                                               static_cast<double>(inner));
  std::memcpy(out + stride - sizeof(meta), &meta, sizeof(meta));
}

void spread_query(const std::int8_t* codes, std::size_t dimension, std::int8_t* out) {
  const std::size_t stride = kernels::sketch_stride(dimension);
  std::memset(out, 0, 4 * kernels::sketch_bytes(stride));
  for_each_run(dimension, stride, [&](std::size_t i, std::size_t place, std::size_t count) {
    std::memcpy(out + place, codes + i, count);
  });
}

}  // namespace vicinal::graph
