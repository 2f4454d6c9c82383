// float32 dot product and squared L2: one to one, one to many. Included once per CPU target.
//
// One algorithm for all forms: two accumulators per row, even vectors into one and odd ones into
// the other, then one reduction tree. So the form does not show in the bits (K6). Four rows per
// pass share the query's loads: eight accumulators hide the latency of FMA and fit the 16 registers
// of AVX2 beside the two query vectors.
#if defined(VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_
#undef VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_
#else
#define VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/kernels.h"
#include "kernels/prefetch.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct DotProduct {
  template <class V>
  static HWY_INLINE V add_term(V q, V r, V sum) {
    return hn::MulAdd(q, r, sum);
  }
  static HWY_INLINE float term(float q, float r) { return q * r; }
};

struct SquaredL2 {
  template <class V>
  static HWY_INLINE V add_term(V q, V r, V sum) {
    const V difference = hn::Sub(q, r);
    return hn::MulAdd(difference, difference, sum);
  }
  static HWY_INLINE float term(float q, float r) { return (q - r) * (q - r); }
};

#if HWY_HAVE_SCALABLE || HWY_TARGET == HWY_SCALAR

template <class V>
HWY_INLINE void reduce_four(V a, V b, V c, V e, float* out) {
  const hn::DFromV<V> d;
  out[0] = hn::GetLane(hn::SumOfLanes(d, a));
  out[1] = hn::GetLane(hn::SumOfLanes(d, b));
  out[2] = hn::GetLane(hn::SumOfLanes(d, c));
  out[3] = hn::GetLane(hn::SumOfLanes(d, e));
}

template <class V>
HWY_INLINE float reduce_one(V a) {
  return hn::GetLane(hn::SumOfLanes(hn::DFromV<V>(), a));
}

#else

/// Adds upper halves to lower ones until four lanes are left.
template <class V>
HWY_INLINE auto fold_to_four(V v) {
  const hn::DFromV<V> d;
  if constexpr (hn::MaxLanes(d) <= 4) {
    return v;
  } else {
    const hn::Half<decltype(d)> half;
    return fold_to_four(hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// The four sums at once: half the shuffles of four separate reductions, which at 128 dimensions
/// cost as much as the products.
template <class V>
HWY_INLINE void reduce_four(V a, V b, V c, V e, float* out) {
  const auto a4 = fold_to_four(a);
  const auto b4 = fold_to_four(b);
  const auto c4 = fold_to_four(c);
  const auto e4 = fold_to_four(e);
  const hn::DFromV<decltype(a4)> d;
  const auto ab = hn::Add(hn::InterleaveLower(d, a4, b4), hn::InterleaveUpper(d, a4, b4));
  const auto ce = hn::Add(hn::InterleaveLower(d, c4, e4), hn::InterleaveUpper(d, c4, e4));
  hn::StoreU(hn::Add(hn::ConcatLowerLower(d, ce, ab), hn::ConcatUpperUpper(d, ce, ab)), d, out);
}

/// The same tree as reduce_four.
template <class V>
HWY_INLINE float reduce_one(V a) {
  const auto a4 = fold_to_four(a);
  const auto pairs = hn::Add(a4, hn::Shuffle1032(a4));
  return hn::GetLane(hn::Add(pairs, hn::Shuffle2301(pairs)));
}

#endif

/// Fewer components than one vector holds: no load fits inside the input (K3).
template <class Op>
HWY_INLINE float short_sum(const float* q, const float* row, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += Op::term(q[i], row[i]);
  return sum;
}

// The tail is the last whole vector of the input with the lanes already summed set to zero: one
// unaligned load that stays inside the row (K3), no scalar loop, no masked load (emulated below
// AVX2, where it would read past the end).

template <class Op>
HWY_INLINE float sum_one(const float* q, const float* row, std::size_t n) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  if (n < lanes) return short_sum<Op>(q, row, n);
  auto even = hn::Zero(d);
  auto odd = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    even = Op::add_term(hn::LoadU(d, q + i), hn::LoadU(d, row + i), even);
    odd = Op::add_term(hn::LoadU(d, q + i + lanes), hn::LoadU(d, row + i + lanes), odd);
  }
  if (i + lanes <= n) {
    even = Op::add_term(hn::LoadU(d, q + i), hn::LoadU(d, row + i), even);
    i += lanes;
  }
  if (i < n) {
    const auto fresh = hn::Not(hn::FirstN(d, lanes - (n - i)));
    const auto query = hn::IfThenElseZero(fresh, hn::LoadU(d, q + n - lanes));
    odd = Op::add_term(query, hn::IfThenElseZero(fresh, hn::LoadU(d, row + n - lanes)), odd);
  }
  return reduce_one(hn::Add(even, odd));
}

template <class Op>
HWY_INLINE void sum_four(const float* q, const float* const* rows, std::size_t n, float* out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const float* const r0 = rows[0];
  const float* const r1 = rows[1];
  const float* const r2 = rows[2];
  const float* const r3 = rows[3];
  if (n < lanes) {
    for (std::size_t row = 0; row < 4; ++row) out[row] = short_sum<Op>(q, rows[row], n);
    return;
  }
  auto even0 = hn::Zero(d), even1 = hn::Zero(d), even2 = hn::Zero(d), even3 = hn::Zero(d);
  auto odd0 = hn::Zero(d), odd1 = hn::Zero(d), odd2 = hn::Zero(d), odd3 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto q0 = hn::LoadU(d, q + i);
    even0 = Op::add_term(q0, hn::LoadU(d, r0 + i), even0);
    even1 = Op::add_term(q0, hn::LoadU(d, r1 + i), even1);
    even2 = Op::add_term(q0, hn::LoadU(d, r2 + i), even2);
    even3 = Op::add_term(q0, hn::LoadU(d, r3 + i), even3);
    const auto q1 = hn::LoadU(d, q + i + lanes);
    odd0 = Op::add_term(q1, hn::LoadU(d, r0 + i + lanes), odd0);
    odd1 = Op::add_term(q1, hn::LoadU(d, r1 + i + lanes), odd1);
    odd2 = Op::add_term(q1, hn::LoadU(d, r2 + i + lanes), odd2);
    odd3 = Op::add_term(q1, hn::LoadU(d, r3 + i + lanes), odd3);
  }
  if (i + lanes <= n) {
    const auto q0 = hn::LoadU(d, q + i);
    even0 = Op::add_term(q0, hn::LoadU(d, r0 + i), even0);
    even1 = Op::add_term(q0, hn::LoadU(d, r1 + i), even1);
    even2 = Op::add_term(q0, hn::LoadU(d, r2 + i), even2);
    even3 = Op::add_term(q0, hn::LoadU(d, r3 + i), even3);
    i += lanes;
  }
  if (i < n) {
    const std::size_t last = n - lanes;
    const auto fresh = hn::Not(hn::FirstN(d, lanes - (n - i)));
    const auto query = hn::IfThenElseZero(fresh, hn::LoadU(d, q + last));
    odd0 = Op::add_term(query, hn::IfThenElseZero(fresh, hn::LoadU(d, r0 + last)), odd0);
    odd1 = Op::add_term(query, hn::IfThenElseZero(fresh, hn::LoadU(d, r1 + last)), odd1);
    odd2 = Op::add_term(query, hn::IfThenElseZero(fresh, hn::LoadU(d, r2 + last)), odd2);
    odd3 = Op::add_term(query, hn::IfThenElseZero(fresh, hn::LoadU(d, r3 + last)), odd3);
  }
  reduce_four(hn::Add(even0, odd0), hn::Add(even1, odd1), hn::Add(even2, odd2),
              hn::Add(even3, odd3), out);
}

struct FloatRowsById {
  const RowTable& table;
  const std::uint32_t* ids;
  const float* operator()(std::size_t i) const {
    return reinterpret_cast<const float*>(table.row(ids[i]));
  }
};

struct FloatRowsByPointer {
  const float* const* rows;
  const float* operator()(std::size_t i) const { return rows[i]; }
};

template <class Op, class RowAt>
HWY_INLINE void sum_many(const float* query, const RowAt& row_at, std::size_t count, std::size_t n,
                         Rows where, float* out) {
  RowsAhead ahead(where, n * sizeof(float), count);
  ahead.start(row_at);
  std::size_t i = 0;
  for (; i + kRowsPerPass <= count; i += kRowsPerPass) {
    ahead.pass(row_at);
    const float* const rows[4] = {row_at(i), row_at(i + 1), row_at(i + 2), row_at(i + 3)};
    sum_four<Op>(query, rows, n, out + i);
  }
  const std::size_t left = count - i;
  if (left == 1) {
    out[i] = sum_one<Op>(query, row_at(i), n);
  } else if (left != 0) {
    // Two or three rows: a whole pass with one of them repeated is cheaper than one by one.
    const float* const last = row_at(count - 1);
    const float* const rows[4] = {row_at(i), row_at(i + 1), last, last};
    float sums[4];
    sum_four<Op>(query, rows, n, sums);
    for (std::size_t k = 0; k < left; ++k) out[i + k] = sums[k];
  }
}

inline float dot_f32(const float* a, const float* b, std::size_t n) {
  return sum_one<DotProduct>(a, b, n);
}

inline float squared_l2_f32(const float* a, const float* b, std::size_t n) {
  return sum_one<SquaredL2>(a, b, n);
}

inline void dot_f32_many(const float* query, const RowTable& table, const std::uint32_t* ids,
                         std::size_t count, std::size_t dimension, Rows rows, float* out) {
  sum_many<DotProduct>(query, FloatRowsById{table, ids}, count, dimension, rows, out);
}

inline void squared_l2_f32_many(const float* query, const RowTable& table, const std::uint32_t* ids,
                                std::size_t count, std::size_t dimension, Rows rows, float* out) {
  sum_many<SquaredL2>(query, FloatRowsById{table, ids}, count, dimension, rows, out);
}

inline void dot_f32_rows(const float* query, const float* const* rows, std::size_t count,
                         std::size_t dimension, float* out) {
  sum_many<DotProduct>(query, FloatRowsByPointer{rows}, count, dimension, Rows::kScattered, out);
}

inline void squared_l2_f32_rows(const float* query, const float* const* rows, std::size_t count,
                                std::size_t dimension, float* out) {
  sum_many<SquaredL2>(query, FloatRowsByPointer{rows}, count, dimension, Rows::kScattered, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
