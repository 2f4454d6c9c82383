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

/// Adds the products of the four parts of a sketch's bytes and of the query's codes, a line apart.
HWY_INLINE int32x4_t add_sketch(int32x4_t sums, uint8x16_t packed, const int8x16_t* q) {
  const uint8x16_t low = vdupq_n_u8(3);
  sums = add_products(sums, vreinterpretq_s8_u8(vandq_u8(packed, low)), q[0]);
  sums = add_products(sums, vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(packed, 2), low)), q[1]);
  sums = add_products(sums, vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(packed, 4), low)), q[2]);
  return add_products(sums, vreinterpretq_s8_u8(vshrq_n_u8(packed, 6)), q[3]);
}

HWY_INLINE void load_parts(const std::int8_t* q, std::size_t i, int8x16_t* parts) {
  const std::int8_t* const line = q + i / 64 * 256 + i % 64;
  for (std::size_t p = 0; p < 4; ++p) parts[p] = vld1q_s8(line + 64 * p);
}

HWY_INLINE uint8x16_t load_packed(const std::int8_t* p) { return vreinterpretq_u8_s8(vld1q_s8(p)); }

HWY_INLINE FourDots sketch_dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                                    std::size_t bytes, std::int32_t query_sum) {
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
  for (std::size_t i = 0; i < bytes; i += 16) {
    int8x16_t parts[4];
    load_parts(q, i, parts);
    s0 = add_sketch(s0, load_packed(rows[0] + i), parts);
    s1 = add_sketch(s1, load_packed(rows[1] + i), parts);
    s2 = add_sketch(s2, load_packed(rows[2] + i), parts);
    s3 = add_sketch(s3, load_packed(rows[3] + i), parts);
  }
  const int32x4_t sums = vpaddq_s32(vpaddq_s32(s0, s1), vpaddq_s32(s2, s3));
  FourDots dots;
  vst1q_s32(dots.dot, vsubq_s32(vshlq_n_s32(sums, 1), vdupq_n_s32(3 * query_sum)));
  return dots;
}

HWY_INLINE std::int32_t sketch_dot_one(const std::int8_t* q, const std::int8_t* row,
                                       std::size_t bytes, std::int32_t query_sum) {
  int32x4_t sums = vdupq_n_s32(0);
  for (std::size_t i = 0; i < bytes; i += 16) {
    int8x16_t parts[4];
    load_parts(q, i, parts);
    sums = add_sketch(sums, load_packed(row + i), parts);
  }
  return 2 * vaddvq_s32(sums) - 3 * query_sum;
}
