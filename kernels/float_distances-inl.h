// Dot product and squared L2 of a float32 query and float32, float16 or scaled int8 rows: one to one,
// one to many. Included once per CPU target.
//
// One algorithm for all types: a row is what gives vectors of float32 and where they begin; what it
// gives is exactly the decoded component, so a float16 or int8 row has the distance of its decoded
// form (K7). One algorithm for all forms: two accumulators per row, even vectors into one and odd ones into
// the other, then one reduction tree. So the form does not show in the bits (K6). Four rows per
// pass share the query's loads: eight accumulators hide the latency of FMA and fit the 16 registers
// of AVX2 beside the two query vectors.
#if defined(VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_
#undef VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_
#else
#define VICINAL_KERNELS_FLOAT_DISTANCES_INL_H_
#endif

#include <bit>
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

/// The float32 of a finite float16. Without arithmetic on denormals, which a host may have flushed to zero.
HWY_INLINE float widened_f16(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} << 16 & 0x80000000u;
  const std::uint32_t magnitude = half & 0x7FFFu;
  if (magnitude < 0x0400u) {
    const float denormal = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(denormal) | sign);
  }
  return std::bit_cast<float>(((magnitude << 13) + 0x38000000u) | sign);
}

// -- Rows: lanes(d, i) are the components from i on, at(i) is one.

class Float32Row {
 public:
  static std::size_t bytes(std::size_t n) { return n * sizeof(float); }
  HWY_INLINE Float32Row(const void* row, std::size_t) : row_(static_cast<const float*>(row)) {}
  template <class D>
  HWY_INLINE hn::Vec<D> lanes(D d, std::size_t i) const {
    return hn::LoadU(d, row_ + i);
  }
  HWY_INLINE float at(std::size_t i) const { return row_[i]; }

 private:
  const float* row_;
};

class Float16Row {
 public:
  static std::size_t bytes(std::size_t n) { return n * sizeof(std::uint16_t); }
  HWY_INLINE Float16Row(const void* row, std::size_t)
      : row_(static_cast<const std::uint16_t*>(row)) {}
  template <class D>
  HWY_INLINE hn::Vec<D> lanes(D d, std::size_t i) const {
    const auto* const halves = reinterpret_cast<const hwy::float16_t*>(row_);
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::float16_t, D>(), halves + i));
  }
  HWY_INLINE float at(std::size_t i) const { return widened_f16(row_[i]); }

 private:
  const std::uint16_t* row_;
};

class ScaledRow {
 public:
  static std::size_t bytes(std::size_t n) { return scale_offset(n) + sizeof(float); }
  HWY_INLINE ScaledRow(const void* row, std::size_t n)
      : codes_(static_cast<const std::int8_t*>(row)) {
    __builtin_memcpy(&scale_, codes_ + scale_offset(n), sizeof scale_);
  }
  template <class D>
  HWY_INLINE hn::Vec<D> lanes(D d, std::size_t i) const {
    const hn::Rebind<std::int8_t, D> narrow;
    const hn::Rebind<std::int32_t, D> wide;
    const auto codes = hn::PromoteTo(wide, hn::LoadU(narrow, codes_ + i));
    return hn::Mul(hn::ConvertTo(d, codes), hn::Set(d, scale_));
  }
  HWY_INLINE float at(std::size_t i) const { return static_cast<float>(codes_[i]) * scale_; }

 private:
  const std::int8_t* codes_;
  float scale_;
};

/// Fewer components than one vector holds: no load fits inside the input (K3).
template <class Op, class Row>
HWY_INLINE float short_sum(const float* q, const Row& row, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += Op::term(q[i], row.at(i));
  return sum;
}

// The tail is the last whole vector of the input with the lanes already summed set to zero: one
// unaligned load that stays inside the row (K3), no scalar loop, no masked load (emulated below
// AVX2, where it would read past the end).

template <class Op, class Row>
HWY_INLINE float sum_one(const float* q, const Row& row, std::size_t n) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  if (n < lanes) return short_sum<Op>(q, row, n);
  auto even = hn::Zero(d);
  auto odd = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    even = Op::add_term(hn::LoadU(d, q + i), row.lanes(d, i), even);
    odd = Op::add_term(hn::LoadU(d, q + i + lanes), row.lanes(d, i + lanes), odd);
  }
  if (i + lanes <= n) {
    even = Op::add_term(hn::LoadU(d, q + i), row.lanes(d, i), even);
    i += lanes;
  }
  if (i < n) {
    const auto fresh = hn::Not(hn::FirstN(d, lanes - (n - i)));
    const auto query = hn::IfThenElseZero(fresh, hn::LoadU(d, q + n - lanes));
    odd = Op::add_term(query, hn::IfThenElseZero(fresh, row.lanes(d, n - lanes)), odd);
  }
  return reduce_one(hn::Add(even, odd));
}

template <class Op, class Row>
HWY_INLINE void sum_four(const float* q, const Row* rows, std::size_t n, float* out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const Row r0 = rows[0];
  const Row r1 = rows[1];
  const Row r2 = rows[2];
  const Row r3 = rows[3];
  if (n < lanes) {
    for (std::size_t row = 0; row < 4; ++row) out[row] = short_sum<Op>(q, rows[row], n);
    return;
  }
  auto even0 = hn::Zero(d), even1 = hn::Zero(d), even2 = hn::Zero(d), even3 = hn::Zero(d);
  auto odd0 = hn::Zero(d), odd1 = hn::Zero(d), odd2 = hn::Zero(d), odd3 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto q0 = hn::LoadU(d, q + i);
    even0 = Op::add_term(q0, r0.lanes(d, i), even0);
    even1 = Op::add_term(q0, r1.lanes(d, i), even1);
    even2 = Op::add_term(q0, r2.lanes(d, i), even2);
    even3 = Op::add_term(q0, r3.lanes(d, i), even3);
    const auto q1 = hn::LoadU(d, q + i + lanes);
    odd0 = Op::add_term(q1, r0.lanes(d, i + lanes), odd0);
    odd1 = Op::add_term(q1, r1.lanes(d, i + lanes), odd1);
    odd2 = Op::add_term(q1, r2.lanes(d, i + lanes), odd2);
    odd3 = Op::add_term(q1, r3.lanes(d, i + lanes), odd3);
  }
  if (i + lanes <= n) {
    const auto q0 = hn::LoadU(d, q + i);
    even0 = Op::add_term(q0, r0.lanes(d, i), even0);
    even1 = Op::add_term(q0, r1.lanes(d, i), even1);
    even2 = Op::add_term(q0, r2.lanes(d, i), even2);
    even3 = Op::add_term(q0, r3.lanes(d, i), even3);
    i += lanes;
  }
  if (i < n) {
    const std::size_t last = n - lanes;
    const auto fresh = hn::Not(hn::FirstN(d, lanes - (n - i)));
    const auto query = hn::IfThenElseZero(fresh, hn::LoadU(d, q + last));
    odd0 = Op::add_term(query, hn::IfThenElseZero(fresh, r0.lanes(d, last)), odd0);
    odd1 = Op::add_term(query, hn::IfThenElseZero(fresh, r1.lanes(d, last)), odd1);
    odd2 = Op::add_term(query, hn::IfThenElseZero(fresh, r2.lanes(d, last)), odd2);
    odd3 = Op::add_term(query, hn::IfThenElseZero(fresh, r3.lanes(d, last)), odd3);
  }
  reduce_four(hn::Add(even0, odd0), hn::Add(even1, odd1), hn::Add(even2, odd2),
              hn::Add(even3, odd3), out);
}

struct RowsById {
  const RowTable& table;
  const std::uint32_t* ids;
  const std::byte* operator()(std::size_t i) const { return table.row(ids[i]); }
};

struct RowsByPointer {
  const std::byte* const* rows;
  const std::byte* operator()(std::size_t i) const { return rows[i]; }
};

template <class Op, class Row, class RowAt>
HWY_INLINE void sum_many(const float* query, const RowAt& row_at, std::size_t count, std::size_t n,
                         Rows where, float* out) {
  RowsAhead ahead(where, Row::bytes(n), count);
  ahead.start(row_at);
  std::size_t i = 0;
  for (; i + kRowsPerPass <= count; i += kRowsPerPass) {
    ahead.pass(row_at);
    const Row rows[4] = {
        {row_at(i), n}, {row_at(i + 1), n}, {row_at(i + 2), n}, {row_at(i + 3), n}};
    sum_four<Op>(query, rows, n, out + i);
  }
  const std::size_t left = count - i;
  if (left == 1) {
    out[i] = sum_one<Op>(query, Row(row_at(i), n), n);
  } else if (left != 0) {
    // Two or three rows: a whole pass with one of them repeated is cheaper than one by one.
    const Row last(row_at(count - 1), n);
    const Row rows[4] = {{row_at(i), n}, {row_at(i + 1), n}, last, last};
    float sums[4];
    sum_four<Op>(query, rows, n, sums);
    for (std::size_t k = 0; k < left; ++k) out[i + k] = sums[k];
  }
}

inline float dot_f32(const float* a, const float* b, std::size_t n) {
  return sum_one<DotProduct>(a, Float32Row(b, n), n);
}

inline float squared_l2_f32(const float* a, const float* b, std::size_t n) {
  return sum_one<SquaredL2>(a, Float32Row(b, n), n);
}

template <class Op, class Row>
inline void many_by_id(const float* query, const RowTable& table, const std::uint32_t* ids,
                       std::size_t count, std::size_t dimension, Rows rows, float* out) {
  sum_many<Op, Row>(query, RowsById{table, ids}, count, dimension, rows, out);
}

template <class Op, class Row>
inline void many_by_pointer(const float* query, const std::byte* const* rows, std::size_t count,
                            std::size_t dimension, float* out) {
  sum_many<Op, Row>(query, RowsByPointer{rows}, count, dimension, Rows::kScattered, out);
}

/// All forms for one type of rows.
template <class Row>
constexpr RowDistances row_distances() {
  return {many_by_id<DotProduct, Row>, many_by_id<SquaredL2, Row>, many_by_pointer<DotProduct, Row>,
          many_by_pointer<SquaredL2, Row>};
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
