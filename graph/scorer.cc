#include "graph/scorer.h"

#include <algorithm>
#include <cstring>

#include "graph/codes.h"
#include "graph/sketches.h"

namespace vicinal::graph {
namespace {

// Of rows asked for before a call: three quarters of the smallest first-level cache about.
constexpr std::size_t kBytesAhead = 192 << 10;

// Turns dot products (or squared distances) into distances in their range. `inverse_norm(i)`: of
// the i-th vector.
template <typename InverseNorm>
void finish_distances(const GraphState& g, std::size_t count, const InverseNorm& inverse_norm,
                      float* out) {
  switch (g.config.metric) {
    case Metric::kCosine:
      for (std::size_t i = 0; i < count; ++i) {
        out[i] = std::clamp(1.0f - out[i] * inverse_norm(i), 0.0f, 2.0f);
      }
      break;
    case Metric::kInnerProduct:
      for (std::size_t i = 0; i < count; ++i) out[i] = 1.0f - out[i];
      break;
    case Metric::kSquaredL2:
      for (std::size_t i = 0; i < count; ++i) out[i] = std::max(out[i], 0.0f);
      break;
  }
}

}  // namespace

const float* prepare_exact_query(const GraphState& g, const float* query, Scratch& scratch) {
  if (g.config.metric != Metric::kCosine) return query;
  const std::size_t n = g.config.dimension;
  scratch.query.resize(n);
  g.kernels.scale_f32(query, g.inverse_norm(query), n, scratch.query.data());
  return scratch.query.data();
}

void exact_distances(const GraphState& g, const float* prepared, const std::uint32_t* ids,
                     std::size_t count, float* out, kernels::Rows rows) {
  g.codec.compare(prepared, g.vectors.row_table(), ids, count, rows, out);
  finish_distances(
      g, count, [&](std::size_t i) { return g.inverse_norms[ids[i]]; }, out);
}

void exact_distances_of_rows(const GraphState& g, const float* prepared, const std::uint32_t* ids,
                             const std::byte* const* rows, std::size_t count, float* out) {
  g.codec.compare(prepared, rows, count, out);
  finish_distances(
      g, count, [&](std::size_t i) { return g.inverse_norms[ids[i]]; }, out);
}

Scorer::Scorer(const GraphState& g, const kernels::RowTable& rows)
    : g_(g), rows_(rows), rows_ahead_(kBytesAhead / rows_.stride) {}

Scorer Scorer::for_walk(Scratch& scratch) const {
  if (!g_.use_sketches) return *this;
  Scorer walk(g_, g_.sketches.row_table());
  walk.over_sketches_ = true;
  walk.query_ = query_;
  walk.code_ = g_.own_codes ? code_ : rotated_code(scratch);
  const std::int8_t* const codes = walk.code_.codes;
  walk.code_.bytes = kernels::sketch_bytes(g_.sketches.stride());
  scratch.sketch_query.resize(4 * walk.code_.bytes);
  spread_query(codes, g_.config.dimension, scratch.sketch_query.data());
  walk.code_.codes = scratch.sketch_query.data();
  return walk;
}

kernels::CodeQuery Scorer::rotated_code(Scratch& scratch) const {
  const std::size_t n = g_.config.dimension;
  const std::size_t bytes = kernels::code_bytes(n);
  scratch.rotated.resize(n);
  scratch.walk_codes.resize(bytes);
  if (query_ != nullptr) {
    std::memcpy(scratch.rotated.data(), query_, n * sizeof(float));
  } else {
    g_.decode_walked(node_, scratch.rotated.data());
  }
  g_.kernels.rotate_f32(scratch.rotated.data(), g_.rotation_signs->data(), n);
  const kernels::KernelTable::Encoded e =
      g_.kernels.encode_i8(scratch.rotated.data(), n, bytes, scratch.walk_codes.data());
  return code_query_for(g_.config.metric, code_meta_for(g_.config.metric, e),
                        scratch.walk_codes.data(), bytes, e.sum);
}

Scorer Scorer::for_query(const GraphState& g, const float* query, Scratch& scratch) {
  Scorer scorer(g, g.walked().row_table());
  scorer.query_ = prepare_exact_query(g, query, scratch);
  if (!g.use_codes) return scorer;
  const std::size_t n = g.config.dimension;
  const std::size_t bytes = kernels::code_bytes(n);
  scratch.query_codes.resize(bytes);
  const float* coded = scorer.query_;
  if (g.own_codes) {
    scratch.rotated.resize(n);
    std::memcpy(scratch.rotated.data(), scorer.query_, n * sizeof(float));
    g.kernels.rotate_f32(scratch.rotated.data(), g.rotation_signs->data(), n);
    coded = scratch.rotated.data();
  }
  const kernels::KernelTable::Encoded e =
      g.kernels.encode_i8(coded, n, bytes, scratch.query_codes.data());
  scorer.code_ = code_query_for(g.config.metric, code_meta_for(g.config.metric, e),
                                scratch.query_codes.data(), bytes, e.sum);
  return scorer;
}

Scorer Scorer::for_node(const GraphState& g, NodeId node, Side side, Scratch& scratch) {
  auto& float_buffer = side == Side::kMain ? scratch.query : scratch.side_query;
  auto& code_buffer = side == Side::kMain ? scratch.query_codes : scratch.side_codes;
  Scorer scorer(g, g.walked().row_table());
  scorer.node_ = node;
  const std::size_t n = g.config.dimension;
  if (!g.use_codes) {
    scorer.query_ = g.codec.floats(g.vector_row(node), float_buffer);
    if (g.config.metric == Metric::kCosine) {
      float_buffer.resize(n);
      g.kernels.scale_f32(scorer.query_, g.inverse_norms[node], n, float_buffer.data());
      scorer.query_ = float_buffer.data();
    }
    return scorer;
  }
  const std::size_t stride = g.walked().stride();
  const std::size_t bytes = kernels::code_bytes(n);
  const std::byte* const row = g.walked().row(raw(node));
  const kernels::CodeMeta meta = kernels::code_meta(row, stride);
  const auto* codes = reinterpret_cast<const std::int8_t*>(row);
  if (bytes + sizeof(kernels::CodeMeta) > stride || (!g.own_codes && bytes > n)) {
    // The meta, or the scale, lies within the codes' last line: a query must be zero there.
    code_buffer.resize(bytes);
    std::memcpy(code_buffer.data(), row, n);
    std::memset(code_buffer.data() + n, 0, bytes - n);
    codes = code_buffer.data();
  }
  scorer.code_ =
      code_query_for(g.config.metric, meta, codes, bytes, g.kernels.sum_i8(codes, bytes));
  return scorer;
}

float Scorer::error(NodeId node, float distance) const {
  if (!g_.use_codes) return 0;
  const Metric metric = g_.config.metric;
  const float scale = metric == Metric::kSquaredL2 ? -code_.factor / 2 : -code_.factor;
  const float other = kernels::code_meta(rows_.row(raw(node)), rows_.stride).scale;
  const float error = code_distance_error(metric, scale, other, distance, g_.config.dimension);
  // Of rows that are codes there is the query's error only, but nothing was rotated: components that
  // are alike are off alike.
  return g_.own_codes ? error : 2 * error;
}

void Scorer::operator()(const std::uint32_t* ids, std::size_t count, float* out,
                        kernels::Rows rows) const {
  if (count == 0) return;
  if (over_sketches_) {
    g_.kernels.distance_sketch_many(code_, rows_, ids, count, rows, out);
  } else if (g_.use_codes) {
    g_.kernels.distance_i8_many(code_, rows_, ids, count, rows, out);
  } else {
    exact_distances(g_, query_, ids, count, out, rows);
  }
}

}  // namespace vicinal::graph
