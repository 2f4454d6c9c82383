// sketch_dot_four and sketch_dot_one of a tier on x86. A fragment without include guard, as
// code_loops-inl.h is: it is included INSIDE the tier's namespace, under its target attributes
// (code_dots-inl.h, vnni.cc), after the tier has defined
//   Bytes, load_bytes, zero_sums, fold_sums, fold_lanes, fold_four
//   Bytes add_sketch(sums, packed, q[4])   adds the products of the four parts of `packed` and q
// The includer provides <immintrin.h> (or Highway), <cstddef> and <cstdint>.
//
// Two bits are unpacked and multiplied with the query's int8 codes rather than counted against bit
// planes of it: the query keeps its eight bits (four planes cost recall), with AVX2 it is half the
// instructions, with VNNI as many.

/// The query's codes of the four parts of the bytes at `at` of a line.
HWY_INLINE void load_parts(const std::int8_t* line, std::size_t at, Bytes* parts) {
  for (std::size_t p = 0; p < 4; ++p) parts[p] = load_bytes(line + 64 * p + at);
}

HWY_INLINE FourDots sketch_dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                                    std::size_t bytes, std::int32_t query_sum) {
  Bytes s0 = zero_sums(), s1 = zero_sums(), s2 = zero_sums(), s3 = zero_sums();
  const std::int8_t *const r0 = rows[0], *const r1 = rows[1], *const r2 = rows[2],
                           *const r3 = rows[3];
  for (std::size_t i = 0; i < bytes; i += sizeof(Bytes)) {
    Bytes parts[4];
    load_parts(q + i / 64 * 256, i % 64, parts);
    s0 = add_sketch(s0, load_bytes(r0 + i), parts);
    s1 = add_sketch(s1, load_bytes(r1 + i), parts);
    s2 = add_sketch(s2, load_bytes(r2 + i), parts);
    s3 = add_sketch(s3, load_bytes(r3 + i), parts);
  }
  return _mm_sub_epi32(_mm_slli_epi32(fold_four(s0, s1, s2, s3), 1), _mm_set1_epi32(3 * query_sum));
}

HWY_INLINE std::int32_t sketch_dot_one(const std::int8_t* q, const std::int8_t* row,
                                       std::size_t bytes, std::int32_t query_sum) {
  Bytes sums = zero_sums();
  for (std::size_t i = 0; i < bytes; i += sizeof(Bytes)) {
    Bytes parts[4];
    load_parts(q + i / 64 * 256, i % 64, parts);
    sums = add_sketch(sums, load_bytes(row + i), parts);
  }
  return 2 * fold_lanes(fold_sums(sums)) - 3 * query_sum;
}
