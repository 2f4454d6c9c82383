#include "graph/scorer.h"

#include <algorithm>
#include <cstring>

#include "graph/codes.h"

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
  const auto many = g.config.metric == Metric::kSquaredL2 ? g.kernels.squared_l2_f32_many
                                                          : g.kernels.dot_f32_many;
  many(prepared, g.vectors.row_table(), ids, count, g.config.dimension, rows, out);
  finish_distances(
      g, count, [&](std::size_t i) { return g.inverse_norms[ids[i]]; }, out);
}

void exact_distances_of_rows(const GraphState& g, const float* prepared, const std::uint32_t* ids,
                             const float* const* rows, std::size_t count, float* out) {
  const auto many = g.config.metric == Metric::kSquaredL2 ? g.kernels.squared_l2_f32_rows
                                                          : g.kernels.dot_f32_rows;
  many(prepared, rows, count, g.config.dimension, out);
  const bool some_late = g.some_deferred();
  const auto inverse_norm = [&](std::size_t i) {
    const bool late = some_late && !g.deferred->here(NodeId{ids[i]});
    return late ? g.inverse_norm(rows[i]) : g.inverse_norms[ids[i]];
  };
  finish_distances(g, count, inverse_norm, out);
}

Scorer::Scorer(const GraphState& g, Scratch& scratch)
    : g_(g),
      scratch_(scratch),
      rows_(g.use_codes ? g.codes.row_table() : g.vectors.row_table()),
      rows_ahead_(kBytesAhead / rows_.stride) {}

Scorer Scorer::for_query(const GraphState& g, const float* query, Scratch& scratch) {
  Scorer scorer(g, scratch);
  scorer.query_ = prepare_exact_query(g, query, scratch);
  if (!g.use_codes) return scorer;
  const std::size_t n = g.config.dimension;
  const std::size_t bytes = kernels::code_bytes(n);
  scratch.rotated.resize(n);
  scratch.query_codes.resize(bytes);
  std::memcpy(scratch.rotated.data(), scorer.query_, n * sizeof(float));
  g.kernels.rotate_f32(scratch.rotated.data(), g.rotation_signs.data(), n);
  const kernels::KernelTable::Encoded e =
      g.kernels.encode_i8(scratch.rotated.data(), n, bytes, scratch.query_codes.data());
  scorer.code_ = code_query_for(g.config.metric, code_meta_for(g.config.metric, e),
                                scratch.query_codes.data(), bytes, e.sum);
  return scorer;
}

Scorer Scorer::for_node(const GraphState& g, NodeId node, Side side, Scratch& scratch) {
  auto& float_buffer = side == Side::kMain ? scratch.query : scratch.side_query;
  auto& code_buffer = side == Side::kMain ? scratch.query_codes : scratch.side_codes;
  const bool late = g.some_deferred() && !g.deferred->here(node);
  std::unique_ptr<RowSource> source;
  const float* vector = nullptr;
  if (late) {
    source = g.deferred->rows(PayloadSource::Order::kScattered);
    vector = g.deferred->row(source.get(), node, scratch.zeros);
  }
  Scorer scorer(g, scratch);
  const std::size_t n = g.config.dimension;
  if (!g.use_codes) {
    scorer.query_ = late ? vector : g.vector_row(node);
    if (late || g.config.metric == Metric::kCosine) {
      const float scale = late ? g.inverse_norm(vector) : g.inverse_norms[node];
      float_buffer.resize(n);
      g.kernels.scale_f32(scorer.query_, scale, n, float_buffer.data());
      scorer.query_ = float_buffer.data();
    }
    return scorer;
  }
  const std::size_t stride = g.codes.stride();
  const std::size_t bytes = kernels::code_bytes(n);
  const std::byte* row = g.code_row(node);
  if (late) {
    code_buffer.resize(stride);
    auto* const made = reinterpret_cast<std::byte*>(code_buffer.data());
    g.encode(vector, g.inverse_norm(vector), made, scratch);
    row = made;
  }
  const kernels::CodeMeta meta = kernels::code_meta(row, stride);
  const auto* codes = reinterpret_cast<const std::int8_t*>(row);
  if (bytes + sizeof(kernels::CodeMeta) > stride) {
    // The meta lies within the codes' last line: a query must be zero there.
    if (!late) {
      code_buffer.resize(bytes);
      std::memcpy(code_buffer.data(), row, n);
    }
    std::memset(code_buffer.data() + n, 0, bytes - n);
    codes = code_buffer.data();
  }
  scorer.code_ =
      code_query_for(g.config.metric, meta, codes, bytes, g.kernels.sum_i8(codes, bytes));
  return scorer;
}

void Scorer::operator()(const std::uint32_t* ids, std::size_t count, float* out,
                        kernels::Rows rows) const {
  if (count == 0) return;
  if (g_.some_deferred()) [[unlikely]] {
    score_some_late(ids, count, out);
  } else {
    score_in_memory(ids, count, out, rows);
  }
}

void Scorer::score_in_memory(const std::uint32_t* ids, std::size_t count, float* out,
                             kernels::Rows rows) const {
  if (g_.use_codes) {
    g_.kernels.distance_i8_many(code_, rows_, ids, count, rows, out);
  } else {
    exact_distances(g_, query_, ids, count, out, rows);
  }
}

void Scorer::score_some_late(const std::uint32_t* ids, std::size_t count, float* out) const {
  // Positions of those in memory from the front, of the others from the back.
  scratch_.late_positions.resize(count);
  std::uint32_t* const positions = scratch_.late_positions.data();
  std::size_t here = 0;
  std::size_t late = count;
  for (std::uint32_t i = 0; i < count; ++i) {
    positions[g_.deferred->here(NodeId{ids[i]}) ? here++ : --late] = i;
  }
  scratch_.late_ids.resize(count);
  scratch_.late_distances.resize(count);
  for (std::size_t i = 0; i < count; ++i) scratch_.late_ids[i] = ids[positions[i]];
  float* const distances = scratch_.late_distances.data();
  if (here > 0) {
    score_in_memory(scratch_.late_ids.data(), here, distances, kernels::Rows::kScattered);
  }
  if (here < count) {
    score_late(std::span(scratch_.late_ids).subspan(here), distances + here);
  }
  for (std::size_t i = 0; i < count; ++i) out[positions[i]] = distances[i];
}

void Scorer::score_late(std::span<const std::uint32_t> ids, float* out) const {
  DeferredPayload& deferred = *g_.deferred;
  const std::unique_ptr<RowSource> source = deferred.rows(PayloadSource::Order::kScattered);
  const std::size_t stride = g_.codes.stride();
  scratch_.late_codes.resize(g_.use_codes ? ids.size() * stride : 0);
  auto* const codes = reinterpret_cast<std::byte*>(scratch_.late_codes.data());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const NodeId node{ids[i]};
    const float* const row = deferred.row(source.get(), node, scratch_.zeros);
    if (g_.use_codes) {
      g_.encode(row, g_.inverse_norm(row), codes + i * stride, scratch_);
    } else {
      exact_distances_of_rows(g_, query_, &ids[i], &row, 1, out + i);
    }
  }
  if (!g_.use_codes) return;
  const std::byte* const segment = codes;
  const kernels::RowTable made{&segment, 31, 0x7FFFFFFFu, stride};
  internal::Vector<std::uint32_t>& numbers = scratch_.late_numbers;
  while (numbers.size() < ids.size()) {
    numbers.push_back(static_cast<std::uint32_t>(numbers.size()));
  }
  g_.kernels.distance_i8_many(code_, made, numbers.data(), ids.size(), kernels::Rows::kCached, out);
}

}  // namespace vicinal::graph
