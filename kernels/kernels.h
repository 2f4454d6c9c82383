// Distances and codes: one table of plain function pointers per CPU target.
//
// What: every arithmetic loop of the engine. Highway writes the loops; a hand-written unit stands
// beside them where the packaged Highway (1.0.3) has no operation for an instruction that matters
// (int8 dot).
// Ownership: stateless. Tables are there from the first call until the process ends, behind the end of
// every static object.
// Threads: every function may be called from any thread, and in a child of fork() whatever threads of
// its parent were at.
//
// Invariants (checked by tests/kernels):
//   K1  The result of an int8 dot product is the exact integer, whatever the target.
//   K2  Inputs need the alignment of their elements and no other (rows in bytes: that of the floats or
//       halves in them); lengths may be any value >= 1 unless said otherwise.
//   K3  No function writes outside its output, nor reads outside its inputs.
//   K4  Nothing outside a target's own section needs more than the architecture's baseline.
//   K5  rotate_f32, encode_i8, norm_f32, scale_f32, distance_i8_many and distance_sketch_many give the same bits on every
//       target: adds and multiplications run in a fixed order, without contraction to FMA where it
//       would show, so stores are portable between CPUs. sorted_entries works on integers.
//   K6  A float32 distance has the same bits in every form of one target: alone, in a batch by id,
//       by pointer, at any place of the batch. Between targets the last places may differ.
//   K7  A float16 or scaled int8 row has the distance of the float32 row that it decodes to, bit for
//       bit. encode_f16, decode_f16, encode_scaled and decode_scaled give the same bits on every target,
//       decode_f16 where halves are finite.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vicinal/status.h"

namespace vicinal::kernels {

/// Rows of equal stride in segments that never move. Row `id` starts at
/// segments[id >> shift] + (id & mask) * stride. The caller guarantees that the segments of every
/// id passed to a kernel are mapped and that the rows were complete before the id became known
/// (graph, G4).
struct RowTable {
  const std::byte* const* segments = nullptr;
  std::uint32_t shift = 0;
  std::uint32_t mask = 0;
  std::size_t stride = 0;  ///< bytes, a multiple of 8

  const std::byte* row(std::uint32_t id) const {
    return segments[id >> shift] + static_cast<std::size_t>(id & mask) * stride;
  }
};

/// Layout of an int8 code row, which ends in a CodeMeta:
///   bytes [0, dimension)            codes in [-127, 127]
///   bytes [dimension, stride - 8)   zero
///   bytes [stride - 8, stride)      CodeMeta
/// Kernels may read whole lines of 64 bytes of a row, the meta included: the query's codes there are
/// zero.
struct CodeMeta {
  float scale = 0;  ///< a component is about scale * code
  float bias = 0;   ///< what the row adds to a distance (its squared norm under squared L2, else 0)
};
static_assert(sizeof(CodeMeta) == 8);

/// Bytes of codes that a dot product runs over: `dimension` rounded up to 64.
constexpr std::size_t code_bytes(std::size_t dimension) { return (dimension + 63) / 64 * 64; }
/// Bytes from one row to the next that holds `lines` lines of 64 bytes, of which `used` bytes are
/// taken: where there is room for the meta they end in it, else it follows them, and rows are 8-byte
/// aligned. Such a row spans as many lines of memory as one rounded up to 64 bytes, wherever it
/// begins, and takes 56 bytes less.
constexpr std::size_t packed_stride(std::size_t lines, std::size_t used) {
  return 64 * lines + (used + sizeof(CodeMeta) <= 64 * lines ? 0 : sizeof(CodeMeta));
}
/// Bytes from one code row to the next: codes and meta, rounded up to 64, for walks that go by
/// codes.
constexpr std::size_t code_stride(std::size_t dimension) {
  return (dimension + sizeof(CodeMeta) + 63) / 64 * 64;
}
/// The same where walks go by sketches, so that few codes are read.
constexpr std::size_t packed_code_stride(std::size_t dimension) {
  return packed_stride(code_bytes(dimension) / 64, dimension);
}
inline const CodeMeta& code_meta(const std::byte* row, std::size_t stride) {
  return *reinterpret_cast<const CodeMeta*>(row + stride - sizeof(CodeMeta));
}

/// Layout of a sketch row, two bits a component in lines of 64 bytes: bits [2p, 2p + 2) of byte j of
/// a line hold u in [0, 3] of the line's component 64 p + j, which stands for c = u - 1.5. The row
/// ends in a CodeMeta, where there is room in the last 8 bytes of the last line, so that its four
/// parts have 56 components each. Unused components have any value: the query's codes there are
/// zero.
constexpr std::size_t sketch_stride(std::size_t dimension) {
  const std::size_t lines = (dimension + 255) / 256;
  const std::size_t in_last = dimension - 256 * (lines - 1);
  return packed_stride(lines, 64 * (lines - 1) + (in_last + 3) / 4);
}
/// The lines of a sketch row of `stride` bytes, in bytes: what a query of sketches runs over.
constexpr std::size_t sketch_bytes(std::size_t stride) { return stride / 64 * 64; }
/// Where component `i` stands in the query of sketches: 4 * sketch_bytes(stride) int8 codes.
constexpr std::size_t sketch_place(std::size_t i, std::size_t stride) {
  constexpr std::size_t kLast = 64 - sizeof(CodeMeta);
  const std::size_t last = 4 * (sketch_bytes(stride) - (stride % 64 == 0 ? 64 : 0));
  return i < last ? i : last + (i - last) / kLast * 64 + (i - last) % kLast;
}

/// A scaled int8 row, which is a vector and not a code of one: codes in [-127, 127], zeros up to a
/// multiple of 4, and there the scale, a float32 of 17 significant bits: scale * code is exact.
constexpr std::size_t scale_offset(std::size_t dimension) { return (dimension + 3) / 4 * 4; }

/// One side of an int8 distance, prepared once per query.
/// distance(q, row) = q.bias + row.bias + q.factor * row.scale * dot(q.codes, row.codes)
/// Cosine and inner product: bias 1, factor -scale. Squared L2: bias |q|^2, factor -2 * scale.
struct CodeQuery {
  const std::int8_t* codes = nullptr;  ///< code_bytes(dimension) long, zero beyond dimension
  std::size_t bytes = 0;               ///< code_bytes(dimension)
  float factor = 0;
  float bias = 0;
  std::int32_t sum = 0;  ///< sum of the codes: the correction for unsigned-by-signed instructions
};

/// A node of a candidate pool as one number: less is nearer, ties by id. Bits 63 to 32 hold the
/// distance (not a NaN) in a form that keeps its order, 31 to 1 the id, below 2^31; bit 0 is the
/// pool's.
constexpr std::uint64_t pool_entry(std::uint32_t id, float distance) {
  const auto bits = std::bit_cast<std::uint32_t>(distance);
  const std::uint32_t ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return (std::uint64_t{ordered} << 32) | (std::uint64_t{id} << 1);
}
/// The most nodes that one call of sorted_entries() takes.
inline constexpr std::size_t kMostEntries = 64;

/// Where the rows of a batch are.
enum class Rows : std::uint8_t {
  kScattered,  ///< anywhere in memory: the kernel asks for rows ahead of those it works on
  kCached,     ///< in a cache, or asked for already: asking again would take load slots for nothing
};

/// Distances of a float32 query to rows of one type: out[i] = f(query, row i), `dimension` components.
/// Four rows per pass share the query's loads.
struct RowDistances {
  /// By id.
  using Many = void (*)(const float* query, const RowTable& table, const std::uint32_t* ids,
                        std::size_t count, std::size_t dimension, Rows rows, float* out);
  /// By pointer: rows that do not live in a RowTable (rows inside LMDB's map). Scattered.
  using ByPointer = void (*)(const float* query, const std::byte* const* rows, std::size_t count,
                             std::size_t dimension, float* out);
  Many dot_many;
  Many squared_l2_many;
  ByPointer dot_rows;
  ByPointer squared_l2_rows;
};

/// The functions of one target. Every pointer is set.
struct KernelTable {
  const char* name;  ///< "avx3_vnni", "avx3", "avx2", "sse4", "ssse3", "neon_dotprod", "neon",
                     ///< "sve", "scalar"...

  // -- float32, one to one. `n` components. Returns the float32 result of sums kept in float32 lanes.
  float (*dot_f32)(const float* a, const float* b, std::size_t n);
  float (*squared_l2_f32)(const float* a, const float* b, std::size_t n);

  // -- One float32 query to many rows, by the type of the rows. K6, K7.
  RowDistances float32;
  RowDistances float16;
  RowDistances scaled;  ///< scaled int8

  /// The nearest float16, of two the even one; infinity from 65,520 on. K7.
  void (*encode_f16)(const float* v, std::size_t n, std::uint16_t* out);
  /// What is not finite decodes to something that encode_f16 makes infinite, or to no number.
  void (*decode_f16)(const std::uint16_t* v, std::size_t n, float* out);
  /// Codes of `v` as a scaled row has them: code[i] = v[i] / scale, rounded; returns the scale, max|v|
  /// / 127 cut to 17 bits. 0, and codes of 0, where that is not a normal float. K7.
  float (*encode_scaled)(const float* v, std::size_t n, std::int8_t* codes);
  void (*decode_scaled)(const std::int8_t* codes, float scale, std::size_t n, float* out);

  /// sqrt(sum of squares), accumulated in double: no overflow or underflow for any finite float
  /// input.
  double (*norm_f32)(const float* v, std::size_t n);
  /// out[i] = v[i] * factor. `out` may be `v`.
  void (*scale_f32)(const float* v, float factor, std::size_t n, float* out);
  /// True when every component is finite.
  bool (*all_finite_f32)(const float* v, std::size_t n);

  /// An orthonormal rotation of R^n in place: two rounds of sign flips, a normalised Hadamard
  /// transform over the first p components, sign flips, and one over the last p, p the largest
  /// power of two <= n. `signs` holds 4 * n floats of +1 or -1 (see make_rotation_signs). K5. Cost
  /// about 8 n log2 n flops.
  void (*rotate_f32)(float* v, const float* signs, std::size_t n);

  /// Codes of `v`: code[i] = round(v[i] * 127 / max|v|) in [-127, 127], zeros up to `bytes`. Writes
  /// `bytes` bytes. All-zero input gives all-zero codes. K5.
  struct Encoded {
    float step = 0;                ///< max|v| / 127
    std::int64_t sum_squares = 0;  ///< sum of code^2
    std::int32_t sum = 0;          ///< sum of codes
    float inner = 0;  ///< sum of v[i] * code[i], accumulated in eight lanes (i mod 8) of double,
                      ///< the lanes added by a fixed tree
  };
  Encoded (*encode_i8)(const float* v, std::size_t n, std::size_t bytes, std::int8_t* codes);

  // -- int8. `bytes` is a multiple of 64. K1.
  std::int32_t (*dot_i8)(const std::int8_t* a, const std::int8_t* b, std::size_t bytes);
  /// Sum of the codes, for CodeQuery::sum.
  std::int32_t (*sum_i8)(const std::int8_t* a, std::size_t bytes);
  /// out[i] = distance(query, row ids[i]) as defined at CodeQuery, evaluated as
  /// (query.bias + row.bias) + (query.factor * row.scale) * float(dot), without contraction to FMA
  /// (K5). Four rows per pass.
  void (*distance_i8_many)(const CodeQuery& query, const RowTable& table, const std::uint32_t* ids,
                           std::size_t count, Rows rows, float* out);

  /// The same from sketches: query.codes stand where sketch_place() says, query.bytes is
  /// sketch_bytes() of the rows' stride, and dot is the sum of code * 2 c. K1, K5.
  void (*distance_sketch_many)(const CodeQuery& query, const RowTable& table,
                               const std::uint32_t* ids, std::size_t count, Rows rows, float* out);

  /// The pool_entry() of those of `count` nodes, at most kMostEntries and no node twice, for which
  /// it is below `bound`, ascending; returns how many. K5.
  std::size_t (*sorted_entries)(const std::uint32_t* ids, const float* distances, std::size_t count,
                                std::uint64_t bound, std::uint64_t* out);
};

/// 4 * n floats of +1 or -1 drawn from `seed` (splitmix64): the signs that rotate_f32 takes.
std::vector<float> make_rotation_signs(std::size_t n, std::uint64_t seed);

/// The table of the best target that this CPU executes, or of the forced one. Asked once per index.
/// The environment variable VICINAL_TARGET, read at the first call, forces a target by name; a name
/// that is unknown or not executable here makes every later active_kernels() return the error that
/// lists the valid ones.
Result<const KernelTable*> active_kernels();

/// Every target compiled into this build, best first, with whether this CPU executes it and why
/// not.
struct TargetInfo {
  std::string_view name;
  bool supported = false;
  bool chosen = false;
  std::string_view why_not;  ///< empty when supported
};
std::vector<TargetInfo> targets();

/// The table of `name`, or an invalid_argument that lists the valid names.
Result<const KernelTable*> kernels_for_target(std::string_view name);

/// Forces the target that later active_kernels() calls return; an empty name undoes it.
Status force_target(std::string_view name);

}  // namespace vicinal::kernels
