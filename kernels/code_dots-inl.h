// Exact int8 dot products: the primitives that code_loops-inl.h builds on. Included once per CPU
// target.
//
// x86: the products |q| * sign(row, q) pair up in 16 bits (maddubs). Codes lie in [-127, 127], so a
// pair is at most 32,258 and cannot saturate (K1). |q| and the sign are shared by the rows of a
// pass. NEON: two products fit 16 bits for the same reason. SVE has a dot product of its own.
#if defined(VICINAL_KERNELS_CODE_DOTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_CODE_DOTS_INL_H_
#undef VICINAL_KERNELS_CODE_DOTS_INL_H_
#else
#define VICINAL_KERNELS_CODE_DOTS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/kernels.h"
#include "kernels/prefetch.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3

#if HWY_TARGET <= HWY_AVX3

using Bytes = __m512i;
struct SignedQuery {
  __m512i magnitude;
  __mmask64 negative;
};
HWY_INLINE __m512i load_bytes(const std::int8_t* p) { return _mm512_loadu_si512(p); }
HWY_INLINE SignedQuery load_query(const std::int8_t* p) {
  const __m512i q = _mm512_loadu_si512(p);
  return {_mm512_abs_epi8(q), _mm512_movepi8_mask(q)};
}
HWY_INLINE __m512i zero_sums() { return _mm512_setzero_si512(); }
HWY_INLINE __m512i add_products(__m512i sums, SignedQuery q, __m512i row) {
  const __m512i signed_row = _mm512_mask_sub_epi8(row, q.negative, _mm512_setzero_si512(), row);
  const __m512i pairs = _mm512_maddubs_epi16(q.magnitude, signed_row);
  return _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
/// Adds the products of a sketch's four parts with the query's, unsigned by signed: a pair of one
/// part is at most 762, of four parts 3,048.
HWY_INLINE __m512i add_sketch(__m512i sums, __m512i packed, const __m512i* q) {
  const __m512i low = _mm512_set1_epi8(3);
  const __m512i p0 = _mm512_and_si512(packed, low);
  const __m512i p1 = _mm512_and_si512(_mm512_srli_epi16(packed, 2), low);
  const __m512i p2 = _mm512_and_si512(_mm512_srli_epi16(packed, 4), low);
  const __m512i p3 = _mm512_and_si512(_mm512_srli_epi16(packed, 6), low);
  const __m512i even =
      _mm512_add_epi16(_mm512_maddubs_epi16(p0, q[0]), _mm512_maddubs_epi16(p1, q[1]));
  const __m512i odd =
      _mm512_add_epi16(_mm512_maddubs_epi16(p2, q[2]), _mm512_maddubs_epi16(p3, q[3]));
  return _mm512_add_epi32(sums,
                          _mm512_madd_epi16(_mm512_add_epi16(even, odd), _mm512_set1_epi16(1)));
}
HWY_INLINE __m128i fold_sums(__m512i sums) {
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

#elif HWY_TARGET == HWY_AVX2

using Bytes = __m256i;
struct SignedQuery {
  __m256i magnitude;
  __m256i sign;
};
HWY_INLINE __m256i load_bytes(const std::int8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
HWY_INLINE SignedQuery load_query(const std::int8_t* p) {
  const __m256i q = load_bytes(p);
  return {_mm256_abs_epi8(q), q};
}
HWY_INLINE __m256i zero_sums() { return _mm256_setzero_si256(); }
HWY_INLINE __m256i add_products(__m256i sums, SignedQuery q, __m256i row) {
  const __m256i pairs = _mm256_maddubs_epi16(q.magnitude, _mm256_sign_epi8(row, q.sign));
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}
/// Adds the products of a sketch's four parts with the query's, unsigned by signed: a pair of one
/// part is at most 762, of four parts 3,048.
HWY_INLINE __m256i add_sketch(__m256i sums, __m256i packed, const __m256i* q) {
  const __m256i low = _mm256_set1_epi8(3);
  const __m256i p0 = _mm256_and_si256(packed, low);
  const __m256i p1 = _mm256_and_si256(_mm256_srli_epi16(packed, 2), low);
  const __m256i p2 = _mm256_and_si256(_mm256_srli_epi16(packed, 4), low);
  const __m256i p3 = _mm256_and_si256(_mm256_srli_epi16(packed, 6), low);
  const __m256i even =
      _mm256_add_epi16(_mm256_maddubs_epi16(p0, q[0]), _mm256_maddubs_epi16(p1, q[1]));
  const __m256i odd =
      _mm256_add_epi16(_mm256_maddubs_epi16(p2, q[2]), _mm256_maddubs_epi16(p3, q[3]));
  return _mm256_add_epi32(sums,
                          _mm256_madd_epi16(_mm256_add_epi16(even, odd), _mm256_set1_epi16(1)));
}
HWY_INLINE __m128i fold_sums(__m256i sums) {
  return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
}

#else

using Bytes = __m128i;
struct SignedQuery {
  __m128i magnitude;
  __m128i sign;
};
HWY_INLINE __m128i load_bytes(const std::int8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
HWY_INLINE SignedQuery load_query(const std::int8_t* p) {
  const __m128i q = load_bytes(p);
  return {_mm_abs_epi8(q), q};
}
HWY_INLINE __m128i zero_sums() { return _mm_setzero_si128(); }
HWY_INLINE __m128i add_products(__m128i sums, SignedQuery q, __m128i row) {
  const __m128i pairs = _mm_maddubs_epi16(q.magnitude, _mm_sign_epi8(row, q.sign));
  return _mm_add_epi32(sums, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
}
/// Adds the products of a sketch's four parts with the query's, unsigned by signed: a pair of one
/// part is at most 762, of four parts 3,048.
HWY_INLINE __m128i add_sketch(__m128i sums, __m128i packed, const __m128i* q) {
  const __m128i low = _mm_set1_epi8(3);
  const __m128i p0 = _mm_and_si128(packed, low);
  const __m128i p1 = _mm_and_si128(_mm_srli_epi16(packed, 2), low);
  const __m128i p2 = _mm_and_si128(_mm_srli_epi16(packed, 4), low);
  const __m128i p3 = _mm_and_si128(_mm_srli_epi16(packed, 6), low);
  const __m128i even = _mm_add_epi16(_mm_maddubs_epi16(p0, q[0]), _mm_maddubs_epi16(p1, q[1]));
  const __m128i odd = _mm_add_epi16(_mm_maddubs_epi16(p2, q[2]), _mm_maddubs_epi16(p3, q[3]));
  return _mm_add_epi32(sums, _mm_madd_epi16(_mm_add_epi16(even, odd), _mm_set1_epi16(1)));
}
HWY_INLINE __m128i fold_sums(__m128i sums) { return sums; }

#endif

using FourDots = __m128i;

HWY_INLINE std::int32_t fold_lanes(__m128i sums) {
  const __m128i pairs = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0xB1)));
}

/// One after the other into four lanes.
HWY_INLINE FourDots fold_four(Bytes s0, Bytes s1, Bytes s2, Bytes s3) {
  return _mm_hadd_epi32(_mm_hadd_epi32(fold_sums(s0), fold_sums(s1)),
                        _mm_hadd_epi32(fold_sums(s2), fold_sums(s3)));
}

HWY_INLINE FourDots dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                             std::size_t bytes, std::int32_t /*query_sum*/) {
  Bytes s0 = zero_sums(), s1 = zero_sums(), s2 = zero_sums(), s3 = zero_sums();
  const std::int8_t *const r0 = rows[0], *const r1 = rows[1], *const r2 = rows[2],
                           *const r3 = rows[3];
  for (std::size_t i = 0; i < bytes; i += sizeof(Bytes)) {
    const SignedQuery query = load_query(q + i);
    s0 = add_products(s0, query, load_bytes(r0 + i));
    s1 = add_products(s1, query, load_bytes(r1 + i));
    s2 = add_products(s2, query, load_bytes(r2 + i));
    s3 = add_products(s3, query, load_bytes(r3 + i));
  }
  return fold_four(s0, s1, s2, s3);
}

HWY_INLINE std::int32_t dot_one(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  // `bytes` is a multiple of 64, so two vectors of 32 or 16 bytes fit a step; with 64 bytes a
  // second sum would need a tail and gains nothing.
  Bytes even = zero_sums(), odd = zero_sums();
  constexpr std::size_t kStep = sizeof(Bytes) < 64 ? 2 * sizeof(Bytes) : sizeof(Bytes);
  for (std::size_t i = 0; i < bytes; i += kStep) {
    even = add_products(even, load_query(a + i), load_bytes(b + i));
    if constexpr (sizeof(Bytes) < 64) {
      const std::size_t next = i + sizeof(Bytes);
      odd = add_products(odd, load_query(a + next), load_bytes(b + next));
    }
  }
  return fold_lanes(_mm_add_epi32(fold_sums(even), fold_sums(odd)));
}

#include "kernels/sketch_dots_x86-inl.h"

#elif HWY_TARGET == HWY_NEON

HWY_INLINE int32x4_t add_products(int32x4_t sums, int8x16_t a, int8x16_t b) {
  const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
  return vpadalq_s16(sums, vmlal_s8(low, vget_high_s8(a), vget_high_s8(b)));
}

#include "kernels/neon_dots-inl.h"

#else

struct FourDots {
  std::int32_t dot[4];
};

#if HWY_HAVE_SCALABLE && HWY_ARCH_ARM

HWY_INLINE std::int32_t dot_one(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  svint32_t sums = svdup_n_s32(0);
  for (std::uint64_t i = 0; i < bytes; i += svcntb()) {
    const svbool_t inside = svwhilelt_b8_u64(i, bytes);
    sums = svdot_s32(sums, svld1_s8(inside, a + i), svld1_s8(inside, b + i));
  }
  return static_cast<std::int32_t>(svaddv_s32(svptrue_b32(), sums));
}

HWY_INLINE FourDots dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                             std::size_t bytes, std::int32_t /*query_sum*/) {
  svint32_t s0 = svdup_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
  for (std::uint64_t i = 0; i < bytes; i += svcntb()) {
    const svbool_t inside = svwhilelt_b8_u64(i, bytes);
    const svint8_t query = svld1_s8(inside, q + i);
    s0 = svdot_s32(s0, query, svld1_s8(inside, rows[0] + i));
    s1 = svdot_s32(s1, query, svld1_s8(inside, rows[1] + i));
    s2 = svdot_s32(s2, query, svld1_s8(inside, rows[2] + i));
    s3 = svdot_s32(s3, query, svld1_s8(inside, rows[3] + i));
  }
  const svbool_t all = svptrue_b32();
  return {{static_cast<std::int32_t>(svaddv_s32(all, s0)),
           static_cast<std::int32_t>(svaddv_s32(all, s1)),
           static_cast<std::int32_t>(svaddv_s32(all, s2)),
           static_cast<std::int32_t>(svaddv_s32(all, s3))}};
}

/// The products of some bytes of a sketch's line: their four parts with `q`, a line apart.
HWY_INLINE svint32_t add_sketch(svint32_t sums, svbool_t inside, svuint8_t packed,
                                const std::int8_t* q) {
  const svbool_t all = svptrue_b8();
  const auto part = [&](svuint8_t shifted)
                        HWY_ATTR { return svreinterpret_s8_u8(svand_n_u8_x(all, shifted, 3)); };
  sums = svdot_s32(sums, part(packed), svld1_s8(inside, q));
  sums = svdot_s32(sums, part(svlsr_n_u8_x(all, packed, 2)), svld1_s8(inside, q + 64));
  sums = svdot_s32(sums, part(svlsr_n_u8_x(all, packed, 4)), svld1_s8(inside, q + 128));
  return svdot_s32(sums, part(svlsr_n_u8_x(all, packed, 6)), svld1_s8(inside, q + 192));
}

HWY_INLINE std::int32_t sketch_dot_one(const std::int8_t* q, const std::int8_t* row,
                                       std::size_t bytes, std::int32_t query_sum) {
  svint32_t sums = svdup_n_s32(0);
  for (std::size_t line = 0; line < bytes; line += 64) {
    for (std::uint64_t i = 0; i < 64; i += svcntb()) {
      const svbool_t inside = svwhilelt_b8_u64(i, 64);
      const auto* packed = reinterpret_cast<const std::uint8_t*>(row) + line + i;
      sums = add_sketch(sums, inside, svld1_u8(inside, packed), q + 4 * line + i);
    }
  }
  return 2 * static_cast<std::int32_t>(svaddv_s32(svptrue_b32(), sums)) - 3 * query_sum;
}

#else

HWY_INLINE std::int32_t dot_one(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < bytes; ++i) sum += std::int32_t{a[i]} * std::int32_t{b[i]};
  return sum;
}

HWY_INLINE FourDots dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                             std::size_t bytes, std::int32_t /*query_sum*/) {
  return {{dot_one(q, rows[0], bytes), dot_one(q, rows[1], bytes), dot_one(q, rows[2], bytes),
           dot_one(q, rows[3], bytes)}};
}

HWY_INLINE std::int32_t sketch_dot_one(const std::int8_t* q, const std::int8_t* row,
                                       std::size_t bytes, std::int32_t query_sum) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::int8_t* const parts = q + i / 64 * 256 + i % 64;
    const auto packed = static_cast<std::uint8_t>(row[i]);
    for (std::size_t p = 0; p < 4; ++p) sum += (packed >> (2 * p) & 3) * parts[64 * p];
  }
  return 2 * sum - 3 * query_sum;
}

#endif

HWY_INLINE FourDots sketch_dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                                    std::size_t bytes, std::int32_t query_sum) {
  return {
      {sketch_dot_one(q, rows[0], bytes, query_sum), sketch_dot_one(q, rows[1], bytes, query_sum),
       sketch_dot_one(q, rows[2], bytes, query_sum), sketch_dot_one(q, rows[3], bytes, query_sum)}};
}
#endif

#include "kernels/code_loops-inl.h"

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
