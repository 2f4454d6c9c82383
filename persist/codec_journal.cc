// The codec's journal entries.
#include "engine/base/check.h"
#include "persist/codec.h"
#include "persist/codec_archive.h"

namespace vicinal::persist {

using namespace codec;

namespace {

// What the list that is a row counts: components, but of int8 rows bytes, for a scale is among them.
std::size_t unit_of(Storage storage) {
  switch (storage) {
    case Storage::kFloat32:
      break;
    case Storage::kFloat16:
      return sizeof(std::uint16_t);
    case Storage::kInt8:
      return 1;
  }
  return sizeof(float);
}

void put_row(Writer& ar, std::span<const std::byte> row, Storage storage) {
  ar(static_cast<std::uint64_t>(row.size() / unit_of(storage)));
  ar.write(row.data(), row.size());
}

void get_row(Reader& ar, const graph::RowShape& shape, std::vector<std::byte>* row) {
  std::uint64_t count = 0;
  ar(count);
  const std::size_t expected = shape.bytes() / unit_of(shape.storage);
  if (count != expected || shape.bytes() > ar.left()) {
    bad(fmt::format("a row of {} in {} bytes, the index has {}", count, ar.left(), expected));
  }
  row->resize(shape.bytes());
  ar.read(row->data(), row->size());
}

void put_record(Writer& ar, const Operation& op, Storage storage) {
  ar(static_cast<std::uint8_t>(op.kind));
  switch (op.kind) {
    case OperationKind::kUpsert:
      ar(op.label);
      put_node(ar, op.node);
      put_node(ar, op.replaced);
      ar(static_cast<std::uint8_t>(op.level));
      put_row(ar, op.row, storage);
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

void get_record(Reader& ar, const graph::RowShape& row, JournalEntry* e) {
  e->kind = get_kind(ar);
  switch (e->kind) {
    case OperationKind::kUpsert:
      ar(e->label);
      e->node = get_node(ar, false);
      e->replaced = get_node(ar, true);
      e->level = get_level(ar);
      get_row(ar, row, &e->row);
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

}  // namespace

RecordBuffer encode(const Operation& operation, Storage storage) {
  return encode_by([&](Writer& ar) { put_record(ar, operation, storage); });
}
RecordBuffer encode(const BatchView& batch) {
  return encode_by([&](Writer& ar) { put_record(ar, batch); });
}

Status decode(Bytes payload, const graph::RowShape& row, JournalEntry* entry) {
  *entry = {};
  return decode_any(payload, true, [&](Reader& ar) { get_record(ar, row, entry); });
}

Status decode_kind(Bytes payload, OperationKind* kind) {
  return decode_any(payload, false, [&](Reader& ar) { *kind = get_kind(ar); });
}

}  // namespace vicinal::persist
