// Store format 1, as far as converting needs it: five databases for each index, "<id>.<part>", whose
// records are those of the present format under keys without an id (FORMAT.md).
//
// Ownership: what is read is the transaction's.
// Threads: functions over a transaction, inside Environment::with_handles.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "persist/lmdb_transaction.h"
#include "persist/records.h"
#include "vicinal/status.h"

namespace vicinal::persist::format1 {

inline constexpr unsigned kDatabases = 256 * 5 + 1;  ///< at most 256 indexes

struct Catalog {
  struct Index {
    std::string name;
    std::uint32_t id = 0;
  };
  StoreRecord store;           ///< of any format
  std::vector<Index> indexes;  ///< by id; none when the format is another
};

/// Errors: kCorruption, kFormatVersion.
Result<Catalog> read_catalog(Transaction& transaction);

/// Takes some records, in their order. A key is valid while the snapshot is.
struct Record {
  Bytes key;
  Bytes value;
};
using Take = std::function<Status(const std::vector<Record>& records)>;
/// Every record of a part of an index, about a transaction's worth at a time. `part`: as
/// SharedDatabases::kNames.
/// Errors: those of `take`; kCorruption where a database is missing or has not as many records as it
/// says.
Status read_part(Transaction& transaction, std::uint32_t index, const char* part, const Take& take);

}  // namespace vicinal::persist::format1
