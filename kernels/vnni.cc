// The int8 tier for AVX-512 VNNI: vpdpbusd multiplies unsigned by signed bytes and adds four
// products into 32 bits without saturation.
//
// The rows are signed, so their top bit is flipped on load (code + 128, unsigned) and 128 times the
// sum of the query's codes is subtracted once per row. Written by hand because Highway 1.0.3 has no
// such operation outside AVX3_DL, a target that must not be defined there: it is detected by
// AVX512_VNNI but compiled with AVX-VNNI. Everything between PUSH and POP may run only after
// vnni_supported() said yes (K4).
#include "kernels/tiers.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "hwy/base.h"
#include "kernels/kernels.h"
#include "kernels/prefetch.h"

HWY_PUSH_ATTRIBUTES("avx,avx2,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")
namespace vicinal::kernels::vnni {

using Bytes = __m512i;
using FourDots = __m128i;

HWY_INLINE __m512i load_bytes(const std::int8_t* p) { return _mm512_loadu_si512(p); }
HWY_INLINE __m512i zero_sums() { return _mm512_setzero_si512(); }

HWY_INLINE __m128i fold_sums(__m512i sums) {
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

HWY_INLINE std::int32_t fold_lanes(__m128i sums) {
  const __m128i pairs = _mm_add_epi32(sums, _mm_shuffle_epi32(sums, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0xB1)));
}
HWY_INLINE std::int32_t fold_all(__m512i lanes) { return fold_lanes(fold_sums(lanes)); }
HWY_INLINE FourDots fold_four(__m512i s0, __m512i s1, __m512i s2, __m512i s3) {
  return _mm_hadd_epi32(_mm_hadd_epi32(fold_sums(s0), fold_sums(s1)),
                        _mm_hadd_epi32(fold_sums(s2), fold_sums(s3)));
}

HWY_INLINE FourDots dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                             std::size_t bytes, std::int32_t query_sum) {
  const __m512i top_bits = _mm512_set1_epi8(-128);
  const std::int8_t *const r0 = rows[0], *const r1 = rows[1], *const r2 = rows[2],
                           *const r3 = rows[3];
  __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
  for (std::size_t i = 0; i < bytes; i += 64) {
    const __m512i query = load_bytes(q + i);
    s0 = _mm512_dpbusd_epi32(s0, _mm512_xor_si512(load_bytes(r0 + i), top_bits), query);
    s1 = _mm512_dpbusd_epi32(s1, _mm512_xor_si512(load_bytes(r1 + i), top_bits), query);
    s2 = _mm512_dpbusd_epi32(s2, _mm512_xor_si512(load_bytes(r2 + i), top_bits), query);
    s3 = _mm512_dpbusd_epi32(s3, _mm512_xor_si512(load_bytes(r3 + i), top_bits), query);
  }
  return _mm_sub_epi32(fold_four(s0, s1, s2, s3), _mm_set1_epi32(128 * query_sum));
}

HWY_INLINE std::int32_t dot_one(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  const __m512i top_bits = _mm512_set1_epi8(-128);
  __m512i products = _mm512_setzero_si512();
  __m512i corrections = _mm512_setzero_si512();  // top_bits read as unsigned is 128: 128 * b
  for (std::size_t i = 0; i < bytes; i += 64) {
    const __m512i signed_side = load_bytes(b + i);
    const __m512i unsigned_side = _mm512_xor_si512(load_bytes(a + i), top_bits);
    products = _mm512_dpbusd_epi32(products, unsigned_side, signed_side);
    corrections = _mm512_dpbusd_epi32(corrections, top_bits, signed_side);
  }
  return fold_all(_mm512_sub_epi32(products, corrections));
}

/// The parts of a sketch are unsigned: nothing to correct.
HWY_INLINE __m512i add_sketch(__m512i sums, __m512i packed, const __m512i* q) {
  const __m512i low = _mm512_set1_epi8(3);
  sums = _mm512_dpbusd_epi32(sums, _mm512_and_si512(packed, low), q[0]);
  sums = _mm512_dpbusd_epi32(sums, _mm512_and_si512(_mm512_srli_epi16(packed, 2), low), q[1]);
  sums = _mm512_dpbusd_epi32(sums, _mm512_and_si512(_mm512_srli_epi16(packed, 4), low), q[2]);
  return _mm512_dpbusd_epi32(sums, _mm512_and_si512(_mm512_srli_epi16(packed, 6), low), q[3]);
}

// The loops are written with the dots: no sorting here.
// clang-format off
#include "kernels/sketch_dots_x86-inl.h"
#include "kernels/code_loops-inl.h"
// clang-format on

/// In place of sum_i8(): every node that serves as a query needs its sum (2 % of a build).
inline std::int32_t sum_products(const std::int8_t* a, std::size_t bytes) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sums = _mm512_setzero_si512();
  for (std::size_t i = 0; i < bytes; i += 64) {
    sums = _mm512_dpbusd_epi32(sums, ones, load_bytes(a + i));
  }
  return fold_all(sums);
}

}  // namespace vicinal::kernels::vnni
HWY_POP_ATTRIBUTES

namespace vicinal::kernels {

CodeTier vnni_tier() {
  return {vnni::dot_i8, vnni::sum_products, vnni::distance_i8_many, vnni::distance_sketch_many};
}

bool vnni_supported() { return __builtin_cpu_supports("avx512vnni") != 0; }

}  // namespace vicinal::kernels

#else

namespace vicinal::kernels {
CodeTier vnni_tier() { return {}; }
bool vnni_supported() { return false; }
}  // namespace vicinal::kernels

#endif
