// Records that lie under a fixed key: the store's, the catalog's, an index's options, state and
// tails.
//
// Ownership: none; records are values.
// Threads: functions over a transaction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "persist/codec.h"
#include "persist/envelope.h"
#include "persist/index_range.h"
#include "persist/lmdb_transaction.h"
#include "persist/records.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// The catalog: a database of the store's own record and, under their names, of the indexes'.
inline constexpr const char* kCatalogName = "catalog";
inline constexpr std::string_view kStoreKey("\0", 1);  // no index has this name
inline RecordId store_id() { return {RecordKind::kStore, 0, text_key(kStoreKey)}; }
inline RecordId entry_id(Bytes key) { return {RecordKind::kCatalogEntry, 0, key}; }

/// In `meta`, `index` being the id.
inline RecordId options_id(std::uint32_t index) {
  return {RecordKind::kOptions, index, text_key("options")};
}
inline RecordId state_id(std::uint32_t index) {
  return {RecordKind::kState, index, text_key("state")};
}

// Where such a record lies: in a range of its index, or in a database of its own.
inline Result<bool> get_from(DatabaseHandle database, Transaction& transaction, Bytes key,
                             Bytes* value) {
  return transaction.get(database, key, value);
}
inline Result<bool> get_from(const IndexRange& range, Transaction& transaction, Bytes key,
                             Bytes* value) {
  return range.get(transaction, key, value);
}
inline Status put_into(DatabaseHandle database, Transaction& transaction, Bytes key, Bytes value) {
  return transaction.put(database, key, value);
}
inline Status put_into(const IndexRange& range, Transaction& transaction, Bytes key, Bytes value) {
  return range.put(transaction, key, value);
}

/// The version under which a record is written.
template <typename Record>
std::uint16_t version_of(const Record&) {
  return kRecordVersion;
}
inline std::uint16_t version_of(const OptionsRecord& record) {
  return record.options.storage == Storage::kFloat32 ? kRecordVersion : kStorageOptionsVersion;
}

/// Errors: kCorruption, when it is missing too; kFormatVersion.
template <typename Place, typename Record>
Status read_record(Transaction& transaction, const Place& place, const RecordId& id,
                   Record* record) {
  Bytes value;
  Result<bool> found = get_from(place, transaction, id.key, &value);
  if (!found) return found.status();
  if (!*found) return Status::corruption(describe(id) + " is missing");
  Result<Bytes> payload = unseal(id, value);
  if (!payload) return payload.status();
  Status status = decode(*payload, record);
  return status.ok() ? status : Status::corruption(describe(id) + ": " + status.message());
}

template <typename Place, typename Record>
Status write_record(Transaction& transaction, const Place& place, const RecordId& id,
                    const Record& record) {
  RecordBuffer buffer = encode(record);
  seal(id, &buffer, version_of(record));
  return put_into(place, transaction, id.key, buffer);
}

}  // namespace vicinal::persist
