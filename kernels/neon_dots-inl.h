// dot_one and dot_four of a tier with 16-byte NEON registers. A fragment without include guard, as
// code_loops-inl.h is: it is included INSIDE the tier's namespace, under its target attributes
// (code_dots-inl.h for plain NEON, neon_dotprod.cc), after the tier has defined
//   int32x4_t add_products(sums, a, b)   adds the products of a and b, four to a lane
// The includer provides <arm_neon.h> (or Highway), <cstddef> and <cstdint>.

struct FourDots {
  std::int32_t dot[4];
};

HWY_INLINE FourDots dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                             std::size_t bytes, std::int32_t /*query_sum*/) {
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
  for (std::size_t i = 0; i < bytes; i += 16) {
    const int8x16_t query = vld1q_s8(q + i);
    s0 = add_products(s0, query, vld1q_s8(rows[0] + i));
    s1 = add_products(s1, query, vld1q_s8(rows[1] + i));
    s2 = add_products(s2, query, vld1q_s8(rows[2] + i));
    s3 = add_products(s3, query, vld1q_s8(rows[3] + i));
  }
  FourDots dots;
  vst1q_s32(dots.dot, vpaddq_s32(vpaddq_s32(s0, s1), vpaddq_s32(s2, s3)));
  return dots;
}

HWY_INLINE std::int32_t dot_one(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  int32x4_t even = vdupq_n_s32(0), odd = even;
  for (std::size_t i = 0; i < bytes; i += 32) {
    even = add_products(even, vld1q_s8(a + i), vld1q_s8(b + i));
    odd = add_products(odd, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
  }
  return vaddvq_s32(vaddq_s32(even, odd));
}
