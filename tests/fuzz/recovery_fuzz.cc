// Fuzz target: recovery behind good checksums. The input is a script of changes to the records of a
// small store, made through LMDB and sealed: what nobody but a checksum's maker would have written.
// Whatever they are, the store and its indexes are refused by name or can be used.
//
// Of an input: one byte how the store is used, one which store, then changes until it ends.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persist/chunks.h"
#include "persist/codec.h"
#include "persist/envelope.h"
#include "persist/fixed_records.h"
#include "persist/index_databases.h"
#include "persist/lmdb_cursor.h"
#include "persist/lmdb_env.h"
#include "persist/range_tail.h"
#include "tests/fuzz/script_reader.h"
#include "tests/fuzz/stored_seeds.h"

namespace {

using namespace vicinal;
using namespace vicinal::persist;
using fuzz::expect;
using fuzz::expect_ok;
using fuzz::ScriptReader;

constexpr std::array<RecordKind, 5> kKinds = {RecordKind::kOptions, RecordKind::kVectors,
                                              RecordKind::kNodes, RecordKind::kLinks,
                                              RecordKind::kJournal};
constexpr std::size_t kCatalog = kKinds.size();

struct Record {
  std::vector<std::byte> key;
  std::vector<std::byte> value;
};

std::vector<std::byte> copy_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// What the record under `key` of a database is, by the key alone.
RecordId id_of(std::size_t database, Bytes key) {
  if (database == kCatalog) {
    return key.size() == 1 && key[0] == std::byte{0} ? store_id() : entry_id(key);
  }
  std::uint32_t index = 0;
  if (key.size() < sizeof index) return {kKinds[database], 0, key};
  parse_key(key.first(sizeof index), &index);
  RecordId id{kKinds[database], index, key.subspan(sizeof index)};
  if (database == 0 && id.key.size() == text_key("state").size()) id.kind = RecordKind::kState;
  if (id.key.size() == 1) id.kind = RecordKind::kTail;
  return id;
}

std::size_t head_of(std::size_t database) {
  return kKinds[database % kKinds.size()] == RecordKind::kVectors ? kChunkHeaderBytes
                                                                  : kEnvelopeBytes;
}

/// Makes length and checksum of the record right.
void seal_record(std::size_t database, Record& record) {
  const RecordId id = id_of(database, record.key);
  if (id.kind == RecordKind::kVectors) {
    record.value.resize(std::max<std::size_t>(record.value.size(), kChunkHeaderBytes));
    const Bytes value(record.value);
    const std::uint64_t sum = record_checksum(id, value.first(24), value.subspan(32));
    std::memcpy(record.value.data() + 24, &sum, sizeof sum);
    return;
  }
  record.value.resize(std::max<std::size_t>(record.value.size(), kEnvelopeBytes));
  std::uint16_t version = 0;
  std::memcpy(&version, record.value.data() + 2, sizeof version);
  seal(id, &record.value, version == kStorageOptionsVersion ? version : kRecordVersion);
}

/// Whether a record names no node but those that a small index has. One that names node 2^31 - 2 is
/// believed, as the honest one of an index that was emptied is, and costs what so many nodes cost.
bool is_modest(std::size_t database, const Record& record) {
  constexpr std::uint32_t kMost = 1 << 16;
  const auto modest = [](graph::NodeId node) {
    return node == graph::kNoNode || graph::raw(node) < kMost;
  };
  const RecordId id = id_of(database, record.key);
  const Bytes payload = Bytes(record.value).subspan(std::min(kEnvelopeBytes, record.value.size()));
  std::uint32_t block = 0;
  if (id.kind == RecordKind::kNodes && parse_key(id.key, &block) &&
      block > kMost / kNodesPerBlock) {
    return false;
  }
  StateRecord state;
  if (id.kind == RecordKind::kState && decode(payload, &state).ok()) {
    return state.node_limit < kMost;
  }
  if (id.kind != RecordKind::kJournal) return true;
  for (const Storage storage : {Storage::kFloat32, Storage::kFloat16, Storage::kInt8}) {
    JournalEntry entry;
    if (!decode(payload, graph::RowShape(4, storage), &entry).ok()) continue;
    if (!modest(entry.node) || !modest(entry.replaced) ||
        !std::all_of(entry.nodes.begin(), entry.nodes.end(), modest)) {
      return false;
    }
  }
  return true;
}

class Changes {
 public:
  Changes(Transaction& transaction, ScriptReader& script)
      : transaction_(transaction), script_(script) {
    for (std::size_t i = 0; i < SharedDatabases::kNames.size(); ++i) {
      handles_[i] = open(SharedDatabases::kNames[i]);
    }
    handles_[kCatalog] = open(kCatalogName);
  }

  void change() {
    database_ = script_.below(handles_.size());
    std::optional<Record> record = pick();
    if (!record) return;
    switch (script_.below(7)) {
      case 0:  // some bytes of it
        put_bytes(*record, script_.number<std::uint16_t>(), 1 + script_.below(8));
        break;
      case 1:  // all behind its head
        record->value.resize(std::min(record->value.size(), head_of(database_)));
        append(*record, script_.bytes(script_.byte()));
        break;
      case 2:  // shorter or longer
        record->value.resize(script_.number<std::uint16_t>() % 5000);
        break;
      case 3:
        expect_ok(transaction_.remove(handles_[database_], record->key));
        return;
      case 4:  // the same under another key
        put_key(*record);
        break;
      case 5:  // of a kind that a sum would not have let through
        put_bytes(*record, script_.number<std::uint16_t>(), 1);
        store(*record);
        return;
      default:
        put_bytes(*record, head_of(database_) + script_.below(256), 1);
    }
    seal_record(database_, *record);
    store(*record);
  }

  /// Makes the tails of the first two indexes right, as far as their records can be walked.
  void count_again() {
    for (const std::uint32_t index : {1U, 2U}) {
      for (const std::size_t database : {2U, 4U}) {
        const Status ignored = write_tail(transaction_, IndexRange(handles_[database], index));
        static_cast<void>(ignored);
      }
    }
  }

 private:
  DatabaseHandle open(const char* name) {
    const Result<DatabaseHandle> handle = transaction_.open_database(name, false);
    expect_ok(handle.status());
    return *handle;
  }

  /// The record whose number the script says, or the last before.
  std::optional<Record> pick() {
    Result<Cursor> cursor = Cursor::open(transaction_, handles_[database_]);
    expect_ok(cursor.status());
    std::optional<Record> record;
    Result<bool> more = cursor->first();
    for (std::size_t i = script_.byte(); more.ok() && *more; --i) {
      record = Record{copy_of(cursor->key()), copy_of(cursor->value())};
      if (i == 0) break;
      more = cursor->next();
    }
    expect_ok(more.status());
    return record;
  }

  void put_bytes(Record& record, std::size_t at, std::size_t count) {
    const Bytes bytes = script_.bytes(count);
    if (record.value.empty()) return;
    at %= record.value.size();
    std::copy_n(bytes.begin(), std::min(bytes.size(), record.value.size() - at),
                record.value.begin() + static_cast<std::ptrdiff_t>(at));
  }
  static void append(Record& record, Bytes bytes) {
    record.value.insert(record.value.end(), bytes.begin(), bytes.end());
  }
  void put_key(Record& record) {
    const Bytes bytes = script_.bytes(1 + script_.below(12));
    const std::size_t count = std::min(bytes.size(), record.key.size());
    std::copy_n(bytes.begin(), count, record.key.end() - static_cast<std::ptrdiff_t>(count));
  }
  void store(const Record& record) {
    if (!is_modest(database_, record)) return;
    expect_ok(transaction_.put(handles_[database_], record.key, record.value));
  }

  Transaction& transaction_;
  ScriptReader& script_;
  std::array<DatabaseHandle, kKinds.size() + 1> handles_{};
  std::size_t database_ = 0;
};

void change_records(const std::string& path, ScriptReader script, bool count_again) {
  EnvironmentOptions options;
  options.durability = Durability::kNone;
  options.map_bytes = 16 << 20;
  options.databases = kKinds.size() + 1;
  Result<std::unique_ptr<Environment>> environment = Environment::open(path, options);
  expect_ok(environment.status());
  expect_ok((*environment)->with_handles([&](Transaction& transaction) {
    ScriptReader again = script;
    Changes changes(transaction, again);
    while (!again.empty()) changes.change();
    if (count_again) changes.count_again();
    return Status();
  }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::StoredSeeds& seeds = fuzz::StoredSeeds::get();
  ScriptReader script(data, size);
  const std::uint8_t flags = script.byte();
  const fuzz::Use use = {.read_only = (flags & 1) != 0,
                         .salvage = (flags & 2) != 0,
                         .rows_in_memory = (flags & 4) == 0,
                         .write = (flags & 8) == 0,
                         .drop = (flags & 16) != 0};
  seeds.put(seeds.file(script.byte()));
  change_records(seeds.path(), script, (flags & 32) != 0);
  if (seeds.use(use) && !use.read_only) {
    expect(seeds.use({}), "what was written can be opened for writing again");
  }
  return 0;
}
