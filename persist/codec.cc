#include "persist/codec.h"

#include <bit>

#include "persist/codec_archive.h"

namespace vicinal::persist {

using namespace codec;

namespace {

// -- One pair per record --------------------------------------------------------------------------

void put_record(Writer& ar, const StoreRecord& r) { ar(r.format, r.next_index); }
void get_record(Reader& ar, StoreRecord* r) {
  ar(r->format, r->next_index);
  require(r->next_index != 0, "next index id 0");
}
void put_record(Writer& ar, const TailRecord& r) { ar(r.entries, r.bytes); }
void get_record(Reader& ar, TailRecord* r) { ar(r->entries, r->bytes); }

void put_record(Writer& ar, const CatalogEntry& r) { ar(r.index); }
void get_record(Reader& ar, CatalogEntry* r) {
  ar(r->index);
  require(r->index != 0 && r->index != ~std::uint32_t{0}, "index id out of range");
}

void put_record(Writer& ar, const OptionsRecord& r) {
  const StoredOptions& o = r.options;
  ar(o.dimension, static_cast<std::uint8_t>(o.metric), o.M, o.ef_construction, o.ef_search,
     static_cast<std::uint8_t>(o.quantization), o.seed, r.rows_per_chunk);
  if (o.storage != Storage::kFloat32) ar(static_cast<std::uint8_t>(o.storage));
}
void get_record(Reader& ar, OptionsRecord* r) {
  StoredOptions& o = r->options;
  std::uint8_t metric = 0;
  std::uint8_t quantization = 0;
  ar(o.dimension, metric, o.M, o.ef_construction, o.ef_search, quantization, o.seed,
     r->rows_per_chunk);
  auto storage = static_cast<std::uint8_t>(Storage::kFloat32);
  if (ar.left() != 0) {
    ar(storage);
    require(storage != static_cast<std::uint8_t>(Storage::kFloat32) &&
                storage <= static_cast<std::uint8_t>(Storage::kInt8),
            "unknown storage");
  }
  o.storage = static_cast<Storage>(storage);
  require(o.dimension >= 1 && o.dimension <= kMaxDimension, "dimension out of range");
  require(metric <= static_cast<std::uint8_t>(Metric::kSquaredL2), "unknown metric");
  require(quantization <= static_cast<std::uint8_t>(Quantization::kInt8), "unknown quantization");
  require(std::has_single_bit(r->rows_per_chunk) &&
              (r->rows_per_chunk == 1 ||
               std::uint64_t{r->rows_per_chunk} * o.row_shape().bytes() <= kLargestChunk),
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
  require(r->applied <= kMostSequence, "last sequence out of range");
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

template <typename Record>
RecordBuffer encode_any(const Record& record) {
  return encode_by([&](Writer& ar) { put_record(ar, record); });
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

}  // namespace vicinal::persist
