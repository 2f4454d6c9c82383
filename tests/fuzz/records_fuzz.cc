// Fuzz target: the envelope, every decoder of records, and chunks of vectors. Bytes as they come are
// mostly refused by their checksum; so they are also sealed first. What is decoded is written as it
// was read.
#include <algorithm>
#include <cstring>
#include <vector>

#include "persist/chunks.h"
#include "persist/codec.h"
#include "persist/envelope.h"
#include "tests/fuzz/script_reader.h"

namespace {

using namespace vicinal;
using namespace vicinal::persist;
using fuzz::expect;

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

Bytes payload_of(const RecordBuffer& record) { return Bytes(record).subspan(kEnvelopeBytes); }

void expect_named(const Status& status) {
  expect(status.code() == StatusCode::kCorruption && !status.message().empty(),
         "what is not decoded is corruption, with words");
}

/// Whether `payload` was decoded; `exact`: it is what would be written of the same record.
template <typename Record>
bool try_decode(Bytes payload, Record* record, bool exact = true) {
  if (const Status status = decode(payload, record); !status.ok()) {
    expect_named(status);
    return false;
  }
  const RecordBuffer again = encode(*record);
  expect(!exact || same(payload_of(again), payload), "a record is written as it was read");
  Record second;
  expect(decode(payload_of(again), &second).ok(), "what is written is read");
  expect(same(encode(second), again), "and is the same");
  return true;
}

void decode_links(Bytes payload) {
  LinkGroup group;
  // A group may say that a slot has links, and then none: that is not written.
  const bool whole = try_decode(payload, &group, false);
  FlatLinks flat;
  flat.ids.push_back(graph::NodeId{7});
  const Status status = decode(payload, graph::NodeId{16}, &flat);
  expect(status.ok() == whole, "both decoders of links agree");
  if (!whole) {
    expect(flat.nodes.empty() && flat.lists.empty() && flat.ids.size() == 1,
           "a group that is refused leaves nothing");
    return;
  }
  std::vector<graph::NodeLinks> all(16 + kNodesPerLinkGroup);
  flat.ids.erase(flat.ids.begin());
  flat.copy_to(all);
  group.resize(kNodesPerLinkGroup);
  expect(std::equal(group.begin(), group.end(), all.begin() + 16), "both read the same links");
}

RecordBuffer encode_entry(const JournalEntry& entry, Storage storage) {
  if (entry.kind == OperationKind::kBatch) {
    return encode(BatchView{entry.nodes, entry.labels, entry.levels, entry.replaced_nodes,
                            entry.resurrected, entry.resurrected_labels});
  }
  Operation operation;
  operation.kind = entry.kind;
  operation.label = entry.label;
  operation.node = entry.node;
  operation.replaced = entry.replaced;
  operation.level = entry.level;
  operation.row = entry.row;
  operation.nodes = entry.nodes;
  operation.labels = entry.labels;
  return encode(operation, storage);
}

void decode_journal(Bytes payload, const graph::RowShape& row) {
  OperationKind kind{};
  const bool has_kind = decode_kind(payload, &kind).ok();
  JournalEntry entry;
  if (const Status status = decode(payload, row, &entry); !status.ok()) {
    expect_named(status);
    return;
  }
  expect(has_kind && kind == entry.kind, "an entry is of the kind that a glance sees");
  expect(same(payload_of(encode_entry(entry, row.storage)), payload),
         "an entry is written as it was read");
}

void decode_any(RecordKind kind, Bytes payload, const graph::RowShape& row) {
  StoreRecord store;
  CatalogEntry catalog;
  OptionsRecord options;
  StateRecord state;
  TailRecord tail;
  NodeBlock block;
  switch (kind) {
    case RecordKind::kStore:
      try_decode(payload, &store);
      break;
    case RecordKind::kCatalogEntry:
      try_decode(payload, &catalog);
      break;
    case RecordKind::kOptions:
      try_decode(payload, &options);
      break;
    case RecordKind::kState:
      try_decode(payload, &state);
      break;
    case RecordKind::kTail:
      try_decode(payload, &tail);
      break;
    case RecordKind::kNodes:
      try_decode(payload, &block);
      break;
    case RecordKind::kLinks:
      decode_links(payload);
      break;
    default:
      decode_journal(payload, row);
  }
}

void read_rows(std::uint32_t chunk, Bytes given, const graph::RowShape& row) {
  const ChunkLayout layout{3, row, 16};
  if (read_chunk(layout, chunk, given, true).ok()) {
    expect(given.size() >= kChunkHeaderBytes, "a chunk has a header");
  }
  if (given.size() < kChunkHeaderBytes) return;
  std::vector<std::byte> value(given.begin(), given.end());
  const Key32 key(chunk);
  const std::uint64_t sum = record_checksum({RecordKind::kVectors, layout.index, key.bytes()},
                                            Bytes(value).first(24), Bytes(value).subspan(32));
  std::memcpy(value.data() + 24, &sum, sizeof sum);
  const Result<ChunkRows> rows = read_chunk(layout, chunk, value, true);
  if (!rows.ok()) {
    expect(rows.status().message().find("checksum") == std::string::npos, "the sum is right");
    return;
  }
  expect(rows->count <= layout.rows_per_chunk, "a chunk has no more rows than it has room for");
  std::uint64_t sum_of_bytes = 0;  // touches every row
  for (std::uint32_t i = 0; i < layout.rows_per_chunk; ++i) {
    Status why;
    const std::byte* const begin =
        row_of(layout, *rows, graph::NodeId{chunk * layout.rows_per_chunk + i}, &why);
    expect((begin != nullptr) == (i < rows->count), "rows that are said to be there are");
    for (std::size_t b = 0; begin != nullptr && b < row.bytes(); ++b) {
      sum_of_bytes += static_cast<std::uint64_t>(begin[b]);
    }
  }
  expect(sum_of_bytes <= value.size() * 255, "rows lie within the value");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::ScriptReader script(data, size);
  const auto kind = static_cast<RecordKind>(1 + script.below(9));
  const graph::RowShape row(static_cast<std::uint32_t>(1 + script.below(8)),
                            static_cast<Storage>(script.below(3)));
  const std::uint8_t number = script.byte();
  const Bytes rest = script.rest();
  if (kind == RecordKind::kVectors) {
    read_rows(number, rest, row);
    return 0;
  }
  const Key32 key(number);
  const RecordId id{kind, 3, key.bytes()};
  if (const Result<Bytes> payload = unseal(id, rest); payload.ok()) decode_any(kind, *payload, row);

  RecordBuffer record(kEnvelopeBytes + rest.size());
  std::copy(rest.begin(), rest.end(), record.begin() + kEnvelopeBytes);
  const std::uint16_t version =
      kind == RecordKind::kOptions && (number & 1) != 0 ? kStorageOptionsVersion : kRecordVersion;
  seal(id, &record, version);
  const Result<Bytes> payload = unseal(id, record);
  expect(payload.ok() && same(*payload, rest), "what is sealed is unsealed");
  decode_any(kind, *payload, row);
  return 0;
}
