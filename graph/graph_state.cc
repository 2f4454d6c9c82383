#include "graph/graph_state.h"

#include <algorithm>
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
      level_multiplier(1.0 / std::log(static_cast<double>(c.M))),
      pool(std::move(p)),
      vectors(vector_stride(c)),
      codes(kernels::code_stride(c.dimension)),
      sketches(kernels::sketch_stride(c.dimension)),
      flat(c.smallest_graph > 0),
      topology(nullptr) {
  auto first = std::make_unique<Topology>(epochs);
  topology.store(first.get());
  const internal::MutexLock lock(slots_mutex);
  if (codes_at_once()) rotation_signs = kernels::make_rotation_signs(c.dimension, c.seed);
  if (!flat.load()) make_linking_parts(*this);
  static_cast<void>(first.release());  // the destructor's from now on
}

GraphState::~GraphState() { delete topology.load(); }

void GraphState::reclaim_slots() noexcept {
  const bool pieces = left_pieces.vectors != nullptr || left_pieces.codes != nullptr;
  if (left_slots.empty() && !pieces) return;
  const std::uint64_t oldest = epochs.advance();
  if (pieces && left_pieces.tag < oldest) left_pieces = {};
  const auto end = std::find_if_not(left_slots.begin(), left_slots.end(),
                                    [&](const LeftSlot& left) { return left.tag < oldest; });
  for (auto at = end; at != left_slots.begin();) {  // so that the first is handed out first
    --at;
    free_slots.push_back(at->node);
  }
  left_slots.erase(left_slots.begin(), end);
}

void GraphState::leave_slots(std::span<const NodeId> nodes) noexcept {
  const std::uint64_t tag = epochs.retire_tag();
  for (const NodeId node : nodes) {
    set_state(node, NodeState::kFree);
    left_slots.push_back({node, tag});
  }
  reclaim_slots();
}

bool GraphState::reclaim_topologies() {
  if (!topologies_left.load(std::memory_order_acquire)) return true;
  internal::Vector<LeftTopology> ended;  // ends outside of the lock: a large one takes milliseconds
  const bool none_left = take_ended_topologies(ended);
  // A step that is on may have looked at one of them for the present one, outside of any epoch.
  if (!ended.empty()) const Visibility::Step barrier(visibility);
  return none_left;
}

bool GraphState::take_ended_topologies(internal::Vector<LeftTopology>& ended) {
  const internal::MutexLock lock(slots_mutex);
  const std::uint64_t oldest = epochs.advance();
  ended.reserve(left_topologies.size());
  for (LeftTopology& left : left_topologies) {
    if (left.tag >= oldest) continue;
    unlinked_slots.insert(unlinked_slots.end(), left.left_out.begin(), left.left_out.end());
    ended.push_back(std::move(left));
  }
  std::erase_if(left_topologies, [](const LeftTopology& left) { return left.topology == nullptr; });
  topologies_left.store(!left_topologies.empty(), std::memory_order_release);
  return left_topologies.empty();
}

Level GraphState::draw_level(Label label) const {
  const std::uint64_t hash = splitmix(config.seed ^ splitmix(label));
  const double uniform = (static_cast<double>(hash >> 11) + 0.5) * 0x1.0p-53;
  const double level = -std::log(uniform) * level_multiplier;
  return static_cast<Level>(std::min(level, static_cast<double>(kMaxLevels - 1)));
}

void GraphState::grow(std::uint64_t limit) {
  const bool stays_flat = flat.load(std::memory_order_relaxed) && fits_flat(config, limit);
  if (free_slots.capacity() < limit) {
    constexpr std::uint64_t kAFew = 16;
    const std::size_t capacity = stays_flat
                                     ? (limit + kAFew - 1) / kAFew * kAFew
                                     : std::max<std::size_t>(limit, 2 * free_slots.capacity());
    left_slots.reserve(capacity);
    unlinked_slots.reserve(capacity);
    free_slots.reserve(capacity);
  }
  if (flat.load(std::memory_order_relaxed) && !stays_flat) {
    begin_linking(*this, limit);
  } else {
    grow_tables(*this, limit, stays_flat ? Growth::kPieces : Growth::kSegments);
  }
}

void grow_tables(GraphState& g, std::uint64_t limit, Growth growth) {
  const bool codes = growth == Growth::kPieces ? g.codes_at_once() : g.own_codes;
  if (g.config.keep_vectors) g.vectors.grow(limit, growth);
  if (codes) g.codes.grow(limit, growth);
  if (g.use_sketches && growth != Growth::kPieces) g.sketches.grow(limit, growth);
  g.labels.grow(limit, growth);
  g.inverse_norms.grow(limit, growth);
  g.levels.grow(limit, growth);
  g.states.grow(limit, growth);
  g.visibility.grow(limit, growth);
  g.backlog.grow(limit, growth);
  g.topology.load()->grow(limit, growth);
  if (Topology* const fresh = g.coming.load()) fresh->grow(limit, growth);
}

std::uint64_t bytes_of_nodes(const GraphState& g) {
  std::uint64_t bytes = g.labels.bytes_held() + g.inverse_norms.bytes_held() +
                        g.levels.bytes_held() + g.states.bytes_held() + g.visibility.bytes_held() +
                        g.backlog.bytes_held() +
                        g.topology.load(std::memory_order_acquire)->bytes_of_nodes();
  const internal::MutexLock lock(g.slots_mutex);
  bytes += g.free_slots.capacity() * sizeof(NodeId) +
           g.left_slots.capacity() * sizeof(GraphState::LeftSlot) +
           g.unlinked_slots.capacity() * sizeof(NodeId);
  return bytes + sizeof(g) + (g.stripes == nullptr ? 0 : sizeof(*g.stripes));
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
  levels[node] = static_cast<std::uint8_t>(level);
}

void GraphState::write_row(NodeId node, const std::byte* row, Scratch& scratch) {
  write_comparable(node, row, scratch);
  if (config.keep_vectors && own_codes) copy_row(node, row);
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
    copy_row(node, row);
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

void GraphState::copy_row(NodeId node, const std::byte* row) {
  std::byte* const to = vectors.row(raw(node));
  std::memcpy(to, row, config.row_shape().bytes());
  if (!config.rows_are_codes()) return;
  float scale = 0;
  std::memcpy(&scale, row + kernels::scale_offset(config.dimension), sizeof scale);
  const kernels::CodeMeta meta = code_meta_of_row(
      config.metric, reinterpret_cast<const std::int8_t*>(row), config.dimension, scale);
  std::memcpy(to + vectors.stride() - sizeof meta, &meta, sizeof meta);
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
  g.kernels.rotate_f32(scratch.rotated.data(), g.rotation_signs.data(), n);
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
