// Records that lie under a fixed key: the store's, the catalog's, an index's options and state.
//
// Ownership: none; records are values.
// Threads: functions over a transaction.
#pragma once

#include <cstdint>
#include <string>

#include "persist/codec.h"
#include "persist/envelope.h"
#include "persist/lmdb_env.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// In <id>.meta, `index` being the id.
inline RecordId options_id(std::uint32_t index) {
  return {RecordKind::kOptions, index, text_key("options")};
}
inline RecordId state_id(std::uint32_t index) {
  return {RecordKind::kState, index, text_key("state")};
}

/// Errors: kCorruption, when it is missing too; kFormatVersion.
template <typename Record>
Status read_record(Transaction& transaction, DatabaseHandle database, const RecordId& id,
                   Record* record) {
  Bytes value;
  Result<bool> found = transaction.get(database, id.key, &value);
  if (!found) return found.status();
  if (!*found) return Status::corruption(describe(id) + " is missing");
  Result<Bytes> payload = unseal(id, value);
  if (!payload) return payload.status();
  Status status = decode(*payload, record);
  return status.ok() ? status : Status::corruption(describe(id) + ": " + status.message());
}

template <typename Record>
Status write_record(Transaction& transaction, DatabaseHandle database, const RecordId& id,
                    const Record& record) {
  RecordBuffer buffer = encode(record);
  seal(id, &buffer);
  return transaction.put(database, id.key, buffer);
}

}  // namespace vicinal::persist
