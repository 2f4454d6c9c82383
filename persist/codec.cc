#include "persist/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cereal/cereal.hpp>
#include <cstring>
#include <type_traits>

#include "engine/base/check.h"

namespace vicinal::persist {
namespace {

// cereal's own binary archives believe every length and keep reading a short stream. These two work
// on memory, know how much is left, and write little-endian on a little-endian host (format.h).
class Writer : public cereal::OutputArchive<Writer, cereal::AllowEmptyClassElision> {
 public:
  explicit Writer(RecordBuffer* out) : OutputArchive(this), out_(out) {}
  void write(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t old = out_->size();
    if (out_->capacity() < old + size) out_->reserve(std::max(2 * old, old + size + 64));
    out_->resize(old + size);
    std::memcpy(out_->data() + old, data, size);
  }

 private:
  RecordBuffer* out_;
};

class Reader : public cereal::InputArchive<Reader, cereal::AllowEmptyClassElision> {
 public:
  explicit Reader(Bytes in) : InputArchive(this), in_(in) {}
  void read(void* data, std::size_t size) {
    if (size > in_.size()) {
      throw cereal::Exception(fmt::format("{} bytes wanted, {} left", size, in_.size()));
    }
    if (size != 0) std::memcpy(data, in_.data(), size);
    in_ = in_.subspan(size);
  }
  std::size_t left() const { return in_.size(); }

 private:
  Bytes in_;
};

template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(Writer& ar, const T& value) { ar.write(&value, sizeof value); }
template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(Reader& ar, T& value) { ar.read(&value, sizeof value); }

[[noreturn]] void bad(std::string what) { throw cereal::Exception(what); }

void require(bool condition, const char* what) {
  if (!condition) bad(what);
}

// -- Helpers shared by encoders, and their mirror images -----------------------------------------

template <typename Stored, typename T>
void put_all(Writer& ar, std::span<const T> values) {
  ar(static_cast<std::uint64_t>(values.size()));
  if constexpr (sizeof(Stored) == sizeof(T)) {
    ar.write(values.data(), values.size_bytes());
  } else {
    for (const T value : values) ar(static_cast<Stored>(value));
  }
}

template <typename Stored, typename T>
void get_all(Reader& ar, std::vector<T>* values) {
  std::uint64_t count = 0;
  ar(count);
  if (count > ar.left() / sizeof(Stored)) {
    bad(fmt::format("a list of {} in {} bytes", count, ar.left()));
  }
  values->resize(count);
  if constexpr (sizeof(Stored) == sizeof(T)) {
    ar.read(values->data(), count * sizeof(Stored));
  } else {
    for (T& value : *values) {
      Stored stored{};
      ar(stored);
      value = static_cast<T>(stored);
    }
  }
}

void put_node(Writer& ar, graph::NodeId node) { ar(graph::raw(node)); }

void check_nodes(std::span<const graph::NodeId> nodes, bool may_be_none) {
  for (const graph::NodeId node : nodes) {
    if (graph::raw(node) >= graph::kMaxNodes && !(may_be_none && node == graph::kNoNode)) {
      bad(fmt::format("node {} is out of range", graph::raw(node)));
    }
  }
}

graph::NodeId get_node(Reader& ar, bool may_be_none) {
  std::uint32_t id = 0;
  ar(id);
  const graph::NodeId node{id};
  check_nodes({&node, 1}, may_be_none);
  return node;
}

graph::Level get_level(Reader& ar) {
  std::uint8_t level = 0;
  ar(level);
  if (level >= graph::kMaxLevels) bad(fmt::format("level {} is out of range", level));
  return level;
}

// -- One pair per record --------------------------------------------------------------------------

void put_record(Writer& ar, const StoreRecord& r) { ar(r.format, r.next_index); }
void get_record(Reader& ar, StoreRecord* r) { ar(r->format, r->next_index); }
void put_record(Writer& ar, const TailRecord& r) { ar(r.entries, r.bytes); }
void get_record(Reader& ar, TailRecord* r) { ar(r->entries, r->bytes); }

void put_record(Writer& ar, const CatalogEntry& r) { ar(r.index); }
void get_record(Reader& ar, CatalogEntry* r) {
  ar(r->index);
  require(r->index != 0, "index id 0");
}

void put_record(Writer& ar, const OptionsRecord& r) {
  const StoredOptions& o = r.options;
  ar(o.dimension, static_cast<std::uint8_t>(o.metric), o.M, o.ef_construction, o.ef_search,
     static_cast<std::uint8_t>(o.quantization), o.seed, r.rows_per_chunk);
}
void get_record(Reader& ar, OptionsRecord* r) {
  StoredOptions& o = r->options;
  std::uint8_t metric = 0;
  std::uint8_t quantization = 0;
  ar(o.dimension, metric, o.M, o.ef_construction, o.ef_search, quantization, o.seed,
     r->rows_per_chunk);
  require(o.dimension >= 1 && o.dimension <= kMaxDimension, "dimension out of range");
  require(metric <= static_cast<std::uint8_t>(Metric::kSquaredL2), "unknown metric");
  require(quantization <= static_cast<std::uint8_t>(Quantization::kInt8), "unknown quantization");
  require(std::has_single_bit(r->rows_per_chunk) &&
              (r->rows_per_chunk == 1 ||
               std::uint64_t{r->rows_per_chunk} * o.dimension * sizeof(float) <= kLargestChunk),
          "rows per chunk out of range");
  o.metric = static_cast<Metric>(metric);
  o.quantization = static_cast<Quantization>(quantization);
}

void put_record(Writer& ar, const StateRecord& r) {
  ar(r.node_limit, r.applied, r.checkpoints);
  put_node(ar, r.entry_point.node);
  ar(static_cast<std::uint8_t>(r.entry_point.level));
}
void get_record(Reader& ar, StateRecord* r) {
  ar(r->node_limit, r->applied, r->checkpoints);
  require(r->node_limit <= graph::kMaxNodes, "node limit out of range");
  r->entry_point.node = get_node(ar, true);
  r->entry_point.level = get_level(ar);
}

void put_record(Writer& ar, const NodeBlock& block) {
  ar(static_cast<std::uint8_t>(block.size()));
  for (const StoredNode& n : block) {
    ar(n.label, static_cast<std::uint8_t>(n.level), static_cast<std::uint8_t>(n.state));
  }
}
void get_record(Reader& ar, NodeBlock* block) {
  std::uint8_t count = 0;
  ar(count);
  require(count <= kNodesPerBlock, "too many nodes in a block");
  block->resize(count);
  for (StoredNode& n : *block) {
    ar(n.label);
    n.level = get_level(ar);
    std::uint8_t state = 0;
    ar(state);
    n.state = static_cast<graph::NodeState>(state);
    require(n.state == graph::NodeState::kFree || n.state == graph::NodeState::kLive ||
                n.state == graph::NodeState::kTombstone,
            "unknown node state");
  }
}

void put_record(Writer& ar, const LinkGroup& group) {
  std::uint8_t present = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!group[i].empty()) present = static_cast<std::uint8_t>(present | (1u << i));
  }
  ar(present);
  for (const graph::NodeLinks& links : group) {
    if (links.empty()) continue;
    ar(static_cast<std::uint8_t>(links.size()));
    for (const graph::LevelLinks& level : links) {
      put_node(ar, level.parent);
      ar(static_cast<std::uint16_t>(level.child_count),
         static_cast<std::uint16_t>(level.ids.size()));
      ar.write(level.ids.data(), level.ids.size() * sizeof(graph::NodeId));
    }
  }
}
void get_list(Reader& ar, FlatLinks* links) {
  FlatLinks::List list;
  std::uint16_t children = 0;
  std::uint16_t count = 0;
  list.parent = get_node(ar, true);
  ar(children, count);
  require(children <= count, "more children than links");
  require(count <= ar.left() / sizeof(graph::NodeId), "more links than bytes");
  list.child_count = children;
  list.count = count;
  const std::size_t begin = links->ids.size();
  links->ids.resize(begin + count);
  ar.read(links->ids.data() + begin, count * sizeof(graph::NodeId));
  check_nodes(std::span(links->ids).subspan(begin), false);
  links->lists.push_back(list);
}
void get_record(Reader& ar, graph::NodeId first, FlatLinks* links) {
  std::uint8_t present = 0;
  ar(present);
  for (std::uint32_t i = 0; i < kNodesPerLinkGroup; ++i) {
    if ((present >> i & 1u) == 0) continue;
    std::uint8_t levels = 0;
    ar(levels);
    require(levels >= 1 && levels <= graph::kMaxLevels, "levels out of range");
    for (std::uint32_t level = 0; level < levels; ++level) get_list(ar, links);
    links->nodes.push_back({graph::NodeId{graph::raw(first) + i}, levels});
  }
}
void get_record(Reader& ar, LinkGroup* group) {
  group->assign(kNodesPerLinkGroup, {});
  FlatLinks links;
  get_record(ar, graph::NodeId{0}, &links);
  links.copy_to(*group);
}

void put_record(Writer& ar, const Operation& op) {
  ar(static_cast<std::uint8_t>(op.kind));
  switch (op.kind) {
    case OperationKind::kUpsert:
      ar(op.label);
      put_node(ar, op.node);
      put_node(ar, op.replaced);
      ar(static_cast<std::uint8_t>(op.level));
      put_all<float>(ar, op.row);
      break;
    case OperationKind::kErase:
    case OperationKind::kResurrect:
      ar(op.label);
      put_node(ar, op.node);
      break;
    case OperationKind::kFree:
      put_all<std::uint32_t>(ar, op.nodes);
      break;
    case OperationKind::kEraseBatch:
      put_all<std::uint32_t>(ar, op.nodes);
      put_all<std::uint64_t>(ar, op.labels);
      break;
    case OperationKind::kBatch:
      VICINAL_CHECK(false);  // a batch has an encoder of its own
  }
}

void put_record(Writer& ar, const BatchView& batch) {
  ar(static_cast<std::uint8_t>(OperationKind::kBatch));
  put_all<std::uint32_t>(ar, batch.nodes);
  put_all<std::uint64_t>(ar, batch.labels);
  put_all<std::uint8_t>(ar, batch.levels);
  put_all<std::uint32_t>(ar, batch.replaced);
  put_all<std::uint32_t>(ar, batch.resurrected);
  put_all<std::uint64_t>(ar, batch.resurrected_labels);
}

void load_batch(Reader& ar, JournalEntry* e) {
  get_all<std::uint32_t>(ar, &e->nodes);
  get_all<std::uint64_t>(ar, &e->labels);
  get_all<std::uint8_t>(ar, &e->levels);
  get_all<std::uint32_t>(ar, &e->replaced_nodes);
  get_all<std::uint32_t>(ar, &e->resurrected);
  get_all<std::uint64_t>(ar, &e->resurrected_labels);
  require(e->labels.size() == e->nodes.size() && e->levels.size() == e->nodes.size() &&
              e->replaced_nodes.size() == e->nodes.size() &&
              e->resurrected_labels.size() == e->resurrected.size(),
          "lists of a batch differ in length");
  check_nodes(e->nodes, false);
  check_nodes(e->replaced_nodes, true);
  check_nodes(e->resurrected, false);
  for (const graph::Level level : e->levels)
    require(level < graph::kMaxLevels, "level out of range");
}

OperationKind get_kind(Reader& ar) {
  std::uint8_t kind = 0;
  ar(kind);
  if (kind < 1 || kind > static_cast<std::uint8_t>(OperationKind::kEraseBatch)) {
    bad(fmt::format("unknown operation {}", kind));
  }
  return static_cast<OperationKind>(kind);
}

void get_record(Reader& ar, std::uint32_t dimension, JournalEntry* e) {
  e->kind = get_kind(ar);
  switch (e->kind) {
    case OperationKind::kUpsert:
      ar(e->label);
      e->node = get_node(ar, false);
      e->replaced = get_node(ar, true);
      e->level = get_level(ar);
      get_all<float>(ar, &e->row);
      if (e->row.size() != dimension) {
        bad(fmt::format("a row of {}, the index has {}", e->row.size(), dimension));
      }
      break;
    case OperationKind::kErase:
    case OperationKind::kResurrect:
      ar(e->label);
      e->node = get_node(ar, false);
      break;
    case OperationKind::kFree:
      get_all<std::uint32_t>(ar, &e->nodes);
      check_nodes(e->nodes, false);
      break;
    case OperationKind::kEraseBatch:
      get_all<std::uint32_t>(ar, &e->nodes);
      get_all<std::uint64_t>(ar, &e->labels);
      require(e->nodes.size() == e->labels.size(), "nodes and labels differ in length");
      check_nodes(e->nodes, false);
      break;
    case OperationKind::kBatch:
      load_batch(ar, e);
      break;
  }
}

template <typename Record>
RecordBuffer encode_any(const Record& record) {
  RecordBuffer buffer(kEnvelopeBytes);
  Writer ar(&buffer);
  put_record(ar, record);
  return buffer;
}

template <typename Load>
Status decode_any(Bytes payload, bool whole, Load&& load_from) {
  try {
    Reader ar(payload);
    load_from(ar);
    if (whole && ar.left() != 0) {
      return Status::corruption(fmt::format("{} bytes left over", ar.left()));
    }
    return {};
  } catch (const cereal::Exception& e) {
    return Status::corruption(e.what());
  }
}

template <typename Record>
Status decode_record(Bytes payload, Record* record) {
  return decode_any(payload, true, [&](Reader& ar) { get_record(ar, record); });
}

}  // namespace

RecordBuffer encode(const StoreRecord& record) { return encode_any(record); }
RecordBuffer encode(const CatalogEntry& record) { return encode_any(record); }
RecordBuffer encode(const OptionsRecord& record) { return encode_any(record); }
RecordBuffer encode(const StateRecord& record) { return encode_any(record); }
RecordBuffer encode(const TailRecord& record) { return encode_any(record); }
RecordBuffer encode(const NodeBlock& block) { return encode_any(block); }
RecordBuffer encode(const LinkGroup& group) { return encode_any(group); }
RecordBuffer encode(const Operation& operation) { return encode_any(operation); }
RecordBuffer encode(const BatchView& batch) { return encode_any(batch); }

Status decode(Bytes payload, StoreRecord* record) { return decode_record(payload, record); }
Status decode(Bytes payload, CatalogEntry* record) { return decode_record(payload, record); }
Status decode(Bytes payload, OptionsRecord* record) { return decode_record(payload, record); }
Status decode(Bytes payload, StateRecord* record) { return decode_record(payload, record); }
Status decode(Bytes payload, TailRecord* record) { return decode_record(payload, record); }
Status decode(Bytes payload, NodeBlock* block) { return decode_record(payload, block); }
Status decode(Bytes payload, LinkGroup* group) { return decode_record(payload, group); }
Status decode(Bytes payload, graph::NodeId first, FlatLinks* links) {
  const FlatLinks::Mark before = links->mark();
  Status status = decode_any(payload, true, [&](Reader& ar) { get_record(ar, first, links); });
  if (!status.ok()) links->cut_to(before);
  return status;
}

Status decode(Bytes payload, std::uint32_t dimension, JournalEntry* entry) {
  *entry = {};
  return decode_any(payload, true, [&](Reader& ar) { get_record(ar, dimension, entry); });
}

Status decode_kind(Bytes payload, OperationKind* kind) {
  return decode_any(payload, false, [&](Reader& ar) { *kind = get_kind(ar); });
}

}  // namespace vicinal::persist
