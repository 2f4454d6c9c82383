// The int8 kernels over a tier's primitives. A fragment without include guard: it is included
// INSIDE the namespace of each tier (code_dots-inl.h per Highway target, vnni.cc, neon_dotprod.cc),
// under that tier's target attributes, after the tier has defined
//   FourDots                                      __m128i on SSSE3 and up, else { int32_t dot[4]; }
//   FourDots dot_four(q, rows[4], bytes, query_sum)
//   int32_t dot_one(a, b, bytes)
//   FourDots sketch_dot_four(q, rows[4], bytes, query_sum)
//   int32_t sketch_dot_one(q, row, bytes, query_sum)
// the last two the sum of query code times 2 c over the components of sketches (kernels.h).
// The includer provides <cstddef>, <cstdint>, kernels/kernels.h and kernels/prefetch.h.

inline float distance_from_dot(const CodeQuery& query, const CodeMeta& meta, std::int32_t dot) {
  return (query.bias + meta.bias) + (query.factor * meta.scale) * static_cast<float>(dot);
}

#if defined(__x86_64__)

/// Two metas of 8 bytes as scale, bias, scale, bias.
inline __m128 load_metas(const std::int8_t* first, const std::int8_t* second) {
  const __m128 low =
      _mm_castpd_ps(_mm_load_sd(reinterpret_cast<const double*>(static_cast<const void*>(first))));
  return _mm_loadh_pi(low, reinterpret_cast<const __m64*>(static_cast<const void*>(second)));
}

inline void store_distances(const CodeQuery& query, __m128i dots, const std::int8_t* const* rows,
                            std::size_t meta_at, float* out) {
  const __m128 m01 = load_metas(rows[0] + meta_at, rows[1] + meta_at);
  const __m128 m23 = load_metas(rows[2] + meta_at, rows[3] + meta_at);
  const __m128 scales = _mm_shuffle_ps(m01, m23, _MM_SHUFFLE(2, 0, 2, 0));
  const __m128 biases = _mm_shuffle_ps(m01, m23, _MM_SHUFFLE(3, 1, 3, 1));
  const __m128 base = _mm_add_ps(_mm_set1_ps(query.bias), biases);
  const __m128 factors = _mm_mul_ps(_mm_set1_ps(query.factor), scales);
  _mm_storeu_ps(out, _mm_add_ps(base, _mm_mul_ps(factors, _mm_cvtepi32_ps(dots))));
}

#endif

template <class Dots>
inline void store_distances(const CodeQuery& query, const Dots& dots,
                            const std::int8_t* const* rows, std::size_t meta_at, float* out) {
  for (std::size_t k = 0; k < 4; ++k) {
    const CodeMeta& meta = *reinterpret_cast<const CodeMeta*>(rows[k] + meta_at);
    out[k] = distance_from_dot(query, meta, dots.dot[k]);
  }
}

inline std::int32_t dot_i8(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  return dot_one(a, b, bytes);
}

inline std::int32_t sum_i8(const std::int8_t* a, std::size_t bytes) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < bytes; ++i) sum += a[i];
  return sum;
}

struct CodeDots {
  static inline FourDots four(const CodeQuery& q, const std::int8_t* const* rows) {
    return dot_four(q.codes, rows, q.bytes, q.sum);
  }
  static inline std::int32_t one(const CodeQuery& q, const std::int8_t* row) {
    return dot_one(q.codes, row, q.bytes);
  }
};

struct SketchDots {
  static inline FourDots four(const CodeQuery& q, const std::int8_t* const* rows) {
    return sketch_dot_four(q.codes, rows, q.bytes, q.sum);
  }
  static inline std::int32_t one(const CodeQuery& q, const std::int8_t* row) {
    return sketch_dot_one(q.codes, row, q.bytes, q.sum);
  }
};

template <class Dots>
inline void distances_many(const CodeQuery& query, const RowTable& table, const std::uint32_t* ids,
                           std::size_t count, Rows where, float* out) {
  const std::size_t meta_at = table.stride - sizeof(CodeMeta);
  RowsAhead ahead(where, table.stride, count);
  ahead.start([&](std::size_t i) { return table.row(ids[i]); });
  std::size_t i = 0;
  for (; i + kRowsPerPass <= count; i += kRowsPerPass) {
    ahead.pass([&](std::size_t k) { return table.row(ids[k]); });
    const std::int8_t* rows[kRowsPerPass];
    for (std::size_t k = 0; k < kRowsPerPass; ++k) {
      rows[k] = reinterpret_cast<const std::int8_t*>(table.row(ids[i + k]));
    }
    store_distances(query, Dots::four(query, rows), rows, meta_at, out + i);
  }
  // The last one to three rows. The sums are exact, so the form does not show in the bits.
  for (; i < count; ++i) {
    const std::byte* const row = table.row(ids[i]);
    const std::int32_t dot = Dots::one(query, reinterpret_cast<const std::int8_t*>(row));
    out[i] = distance_from_dot(query, code_meta(row, table.stride), dot);
  }
}

inline void distance_i8_many(const CodeQuery& query, const RowTable& table,
                             const std::uint32_t* ids, std::size_t count, Rows where, float* out) {
  distances_many<CodeDots>(query, table, ids, count, where, out);
}

inline void distance_sketch_many(const CodeQuery& query, const RowTable& table,
                                 const std::uint32_t* ids, std::size_t count, Rows where,
                                 float* out) {
  distances_many<SketchDots>(query, table, ids, count, where, out);
}
