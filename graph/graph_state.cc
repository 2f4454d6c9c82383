#include "graph/graph_state.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "graph/codes.h"
#include "graph/flat.h"
#include "graph/sketches.h"

namespace vicinal::graph {
namespace {

std::uint64_t splitmix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

// Codes that walks go by begin on a line each: packed, 384 dimensions measured 0.97 to 1.00 of the
// speed. Where walks go by sketches, packing both measured 1.00 to 1.07 (768 and 1,536 dimensions).
std::size_t code_stride(const Config& config) {
  return has_sketches(config) ? kernels::packed_code_stride(config.dimension)
                              : kernels::code_stride(config.dimension);
}

// From one row to the next: the row, where it is traversed as a code its meta, rounded up to 64.
std::size_t vector_stride(const Config& config) {
  const std::size_t meta = config.rows_are_codes() ? sizeof(kernels::CodeMeta) : 0;
  return (config.row_shape().bytes() + meta + 63) / 64 * 64;
}

}  // namespace

GraphState::GraphState(const Config& c, const kernels::KernelTable& k,
                       std::shared_ptr<internal::WorkerPool> p)
    : config(c),
      kernels(k),
      codec(c.row_shape(), c.metric, k),
      use_codes(c.quantization == Quantization::kInt8),
      own_codes(use_codes && !c.rows_are_codes()),
      use_sketches(has_sketches(c)),
      flat(c.smallest_graph > 0),
      pool(std::move(p)),
      row_pieces(0, c.keep_vectors ? Pieces::Lines::kButTheFirst : Pieces::Lines::kAlways),
      vectors(vector_stride(c)),
      codes(code_stride(c)),
      sketches(kernels::sketch_stride(c.dimension)),
      topology(&Topology::none()) {
  const internal::MutexLock lock(slots_mutex);
  if (codes_at_once()) make_rotation_signs(*this);
  if (!flat.load()) make_linking_parts(*this);
}

GraphState::~GraphState() {
  if (topology.load() != &Topology::none()) delete topology.load();
}

void GraphState::reclaim_slots() noexcept {
  const bool pieces_left = !flat.load(std::memory_order_relaxed) && linking->left_rows_tag != 0;
  if (left_slots.empty() && !pieces_left) return;
  const std::uint64_t oldest = epochs.advance();
  if (pieces_left && linking->left_rows_tag < oldest) {
    row_pieces.end();
    linking->left_rows_tag = 0;
  }
  // The first is handed out first.
  left_slots.take(
      oldest, [&](NodeId node) VICINAL_NO_THREAD_SAFETY_ANALYSIS { free_slots.push_back(node); });
}

void GraphState::leave_slots(std::span<const NodeId> nodes) noexcept {
  const std::uint64_t tag = epochs.retire_tag();
  for (const NodeId node : nodes) set_state(node, NodeState::kFree);
  left_slots.leave(nodes, tag);
  reclaim_slots();
}

namespace {

// Moves those to `ended` that no reader is in any more; true when none is left.
bool take_ended_topologies(GraphState& g, internal::Vector<GraphState::LeftTopology>& ended)
    VICINAL_EXCLUDES(g.slots_mutex) {
  const internal::MutexLock lock(g.slots_mutex);
  internal::Vector<GraphState::LeftTopology>& left = g.left_topologies();
  const std::uint64_t oldest = g.epochs.advance();
  ended.reserve(left.size());
  for (GraphState::LeftTopology& one : left) {
    if (one.tag >= oldest) continue;
    g.unlinked_slots.insert(g.unlinked_slots.end(), one.left_out.begin(), one.left_out.end());
    ended.push_back(std::move(one));
  }
  std::erase_if(left, [](const GraphState::LeftTopology& one) { return one.topology == nullptr; });
  g.linking->topologies_left.store(!left.empty(), std::memory_order_release);
  return left.empty();
}

}  // namespace

bool GraphState::reclaim_topologies() {
  if (flat.load(std::memory_order_acquire)) return true;
  if (!linking->topologies_left.load(std::memory_order_acquire)) return true;
  internal::Vector<LeftTopology> ended;  // ends outside of the lock: a large one takes milliseconds
  const bool none_left = take_ended_topologies(*this, ended);
  // A step that is on may have looked at one of them for the present one, outside of any epoch.
  if (!ended.empty()) const Visibility::Step barrier(visibility);
  return none_left;
}

Level GraphState::draw_level(Label label) const {
  const std::uint64_t hash = splitmix(config.seed ^ splitmix(label));
  const double uniform = (static_cast<double>(hash >> 11) + 0.5) * 0x1.0p-53;
  // The paper's mL is 1 / ln(M).
  const double level = -std::log(uniform) * (1.0 / std::log(static_cast<double>(config.M)));
  return static_cast<Level>(std::min(level, static_cast<double>(kMaxLevels - 1)));
}

namespace {

// The same for a flat graph.
void grow_flat(GraphState& g, std::uint64_t limit) VICINAL_REQUIRES(g.slots_mutex) {
  const TableRows rows = (g.config.keep_vectors ? g.vectors : g.codes).table();
  g.row_pieces.grow(limit, {&rows, 1});
  const auto [numbers, before, marks] = g.visibility.tables();
  const TableRows standings = g.standings.table();
  if (g.config.metric == Metric::kCosine) {
    g.field_pieces.grow(limit, std::array{numbers, g.labels.table(), before,
                                          g.inverse_norms.table(), standings, marks});
  } else {
    g.field_pieces.grow(limit, std::array{numbers, g.labels.table(), before, standings, marks});
  }
}

}  // namespace

void GraphState::grow(std::uint64_t limit) {
  const bool stays_flat = flat.load(std::memory_order_relaxed) && fits_flat(config, limit);
  if (free_slots.capacity() < limit) {
    // Little ahead of the slots that there are: what is in them is moved, which is hardly ever much.
    const std::size_t capacity = limit + limit / 8;
    left_slots.reserve(capacity);
    unlinked_slots.reserve(capacity);
    free_slots.reserve(capacity);
  }
  if (flat.load(std::memory_order_relaxed) && !stays_flat) {
    begin_linking(*this, limit);
  } else {
    stays_flat ? grow_flat(*this, limit) : grow_tables(*this, limit);
  }
}

void grow_tables(GraphState& g, std::uint64_t limit) {
  const std::uint64_t rows = g.row_pieces.rows();
  const std::uint64_t fields = g.field_pieces.rows();
  constexpr Growth kSegments = Growth::kSegments;
  if (g.config.keep_vectors) g.vectors.grow(limit, kSegments, rows);
  if (g.own_codes) g.codes.grow(limit, kSegments, g.config.keep_vectors ? 0 : rows);
  if (g.use_sketches) g.sketches.grow(limit);
  g.labels.grow(limit, kSegments, fields);
  if (g.config.metric == Metric::kCosine) g.inverse_norms.grow(limit, kSegments, fields);
  g.standings.grow(limit, kSegments, fields);
  g.visibility.grow(limit, fields);
  g.backlog.grow(limit);
  g.topology.load()->grow(limit);
  if (Topology* const fresh = g.linking->coming.load()) fresh->grow(limit);
}

std::uint64_t bytes_of_nodes(const GraphState& g) {
  std::uint64_t bytes = g.labels.bytes_held() + g.inverse_norms.bytes_held() +
                        g.standings.bytes_held() + g.visibility.bytes_held() +
                        g.backlog.bytes_held() +
                        g.topology.load(std::memory_order_acquire)->bytes_of_nodes();
  const internal::MutexLock lock(g.slots_mutex);
  bytes += g.field_pieces.bytes();
  bytes += g.free_slots.capacity() * sizeof(NodeId) + g.left_slots.bytes_held() +
           g.unlinked_slots.capacity() * sizeof(NodeId);
  return bytes + sizeof(g) + (g.linking == nullptr ? 0 : sizeof(*g.linking));
}

void GraphState::make_room(Scratch& scratch) const {
  if (own_codes || use_sketches) scratch.rotated.resize(config.dimension);
  if (use_sketches) scratch.side_codes.resize(codes.stride());
  if (config.storage != Storage::kFloat32) scratch.decoded.resize(config.dimension);
}

void GraphState::write_payload(NodeId node, Label label, Level level, const std::byte* row,
                               Scratch& scratch) {
  write_node(node, label, level);
  write_row(node, row, scratch);
}

void GraphState::write_node(NodeId node, Label label, Level level) {
  labels[node] = label;
  standings[node].level = static_cast<std::uint8_t>(level);
}

namespace {

void copy_row(GraphState& g, NodeId node, const std::byte* row) {
  std::byte* const to = g.vectors.row(raw(node));
  std::memcpy(to, row, g.config.row_shape().bytes());
  if (!g.config.rows_are_codes()) return;
  const std::uint32_t dimension = g.config.dimension;
  float scale = 0;
  std::memcpy(&scale, row + kernels::scale_offset(dimension), sizeof scale);
  const kernels::CodeMeta meta = code_meta_of_row(
      g.config.metric, reinterpret_cast<const std::int8_t*>(row), dimension, scale);
  std::memcpy(to + g.vectors.stride() - sizeof meta, &meta, sizeof meta);
}

}  // namespace

void GraphState::write_row(NodeId node, const std::byte* row, Scratch& scratch) {
  write_comparable(node, row, scratch);
  if (config.keep_vectors && own_codes) copy_row(*this, node, row);
}

void GraphState::write_comparable(NodeId node, const std::byte* row, Scratch& scratch) {
  const bool coded = codes_at_once();
  const bool cosine = config.metric == Metric::kCosine;
  const float* const vector = coded || cosine ? codec.floats(row, scratch.decoded) : nullptr;
  const float inverse = cosine ? inverse_norm(vector) : 1.0f;
  if (cosine) inverse_norms[node] = inverse;
  if (coded) {
    encode(*this, vector, inverse, codes.row(raw(node)), scratch);
  } else if (!own_codes) {
    copy_row(*this, node, row);
  }
  if (use_sketches && !flat.load(std::memory_order_relaxed)) {
    write_sketch(*this, node, scratch);
  }
}

float GraphState::inverse_norm(const float* vector) const {
  if (config.metric != Metric::kCosine) return 1.0f;
  const double norm = kernels.norm_f32(vector, config.dimension);
  return norm > 0 ? static_cast<float>(1.0 / norm) : 0.0f;
}

void GraphState::decode_walked(NodeId node, float* vector) const {
  const std::byte* const row = walked().row(raw(node));
  const float scale = kernels::code_meta(row, walked().stride()).scale;
  kernels.decode_scaled(reinterpret_cast<const std::int8_t*>(row), scale, config.dimension, vector);
}

void encode(const GraphState& g, const float* vector, float inverse_norm, std::byte* row,
            Scratch& scratch) {
  const std::size_t n = g.config.dimension;
  scratch.rotated.resize(n);
  g.kernels.scale_f32(vector, inverse_norm, n, scratch.rotated.data());
  g.kernels.rotate_f32(scratch.rotated.data(), g.rotation_signs->data(), n);
  const std::size_t stride = g.codes.stride();
  std::memset(row, 0, stride);
  const kernels::KernelTable::Encoded e = g.kernels.encode_i8(
      scratch.rotated.data(), n, kernels::code_bytes(n), reinterpret_cast<std::int8_t*>(row));
  const kernels::CodeMeta meta = code_meta_for(g.config.metric, e);
  std::memcpy(row + stride - sizeof(meta), &meta, sizeof(meta));
}

void write_sketch(GraphState& g, NodeId node, Scratch& scratch) {
  const std::byte* row = g.walked().row(raw(node));
  if (!g.own_codes) {  // no component may dominate: of a rotated code
    scratch.decoded.resize(g.config.dimension);
    scratch.side_codes.resize(g.codes.stride());
    g.decode_walked(node, scratch.decoded.data());
    auto* const code = reinterpret_cast<std::byte*>(scratch.side_codes.data());
    encode(g, scratch.decoded.data(), 1, code, scratch);
    row = code;
  }
  make_sketch(row, g.codes.stride(), g.config.dimension, g.sketches.row(raw(node)));
}

}  // namespace vicinal::graph
