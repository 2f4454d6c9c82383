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

// The loops below are such as compilers vectorize: opening a store makes the sketches of all its rows.
// bench: component by component it was more than half of opening 50,000 x 1,536.

// At most 65,536 * 127^2.
std::int32_t sum_of_squares(const std::int8_t* codes, std::size_t dimension) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < dimension; ++i) sum += std::int32_t{codes[i]} * codes[i];
  return sum;
}

// Which of -1.5, -0.5, 0.5 and 1.5 stands for a code.
std::uint8_t step_of(std::int8_t code, std::int8_t limit) {
  return static_cast<std::uint8_t>((code >= -limit ? 1 : 0) + (code >= 0 ? 1 : 0) +
                                   (code > limit ? 1 : 0));
}

// The 64 bytes of 256 components.
void put_block(const std::int8_t* codes, std::int8_t limit, std::byte* out) {
  for (std::size_t k = 0; k < 64; ++k) {
    out[k] = static_cast<std::byte>(step_of(codes[k], limit) | step_of(codes[64 + k], limit) << 2 |
                                    step_of(codes[128 + k], limit) << 4 |
                                    step_of(codes[192 + k], limit) << 6);
  }
}

// Of the codes and twice what stands for them: 1 and 3 times what a code is without its sign.
std::int32_t inner_with_steps(const std::int8_t* codes, std::size_t dimension, std::int32_t limit) {
  std::int32_t inner = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    const std::int32_t size = codes[i] < 0 ? -codes[i] : codes[i];
    inner += size > limit ? 3 * size : size;
  }
  return inner;
}

}  // namespace

void make_sketch(const std::byte* code_row, std::size_t code_stride, std::size_t dimension,
                 std::byte* out) {
  const std::size_t stride = kernels::sketch_stride(dimension);
  const auto* const codes = reinterpret_cast<const std::int8_t*>(code_row);
  const std::int32_t squares = sum_of_squares(codes, dimension);
  // |code| beyond the root mean square: code^2 * dimension > squares.
  std::int32_t limit = 0;
  while (std::int64_t{limit + 1} * (limit + 1) * static_cast<std::int64_t>(dimension) <= squares) {
    ++limit;
  }
  std::memset(out, 0, stride);
  const auto step_limit = static_cast<std::int8_t>(limit);
  for_each_run(dimension, stride, [&](std::size_t i, std::size_t place, std::size_t count) {
    for (; place % 256 == 0 && count >= 256; i += 256, place += 256, count -= 256) {
      put_block(codes + i, step_limit, out + place / 4);
    }
    for (std::size_t k = 0; k < count; ++k) {
      const std::size_t at = place + k;
      out[at / 256 * 64 + at % 64] |=
          static_cast<std::byte>(step_of(codes[i + k], step_limit) << (at % 256 / 64 * 2));
    }
  });
  const std::int32_t inner = inner_with_steps(codes, dimension, limit);
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
