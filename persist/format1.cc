#include "persist/format1.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "persist/fixed_records.h"
#include "persist/lmdb_cursor.h"

namespace vicinal::persist::format1 {
namespace {

constexpr std::uint64_t kBytesAtOnce = 4ull << 20;

}  // namespace

Result<Catalog> read_catalog(Transaction& transaction) {
  const Result<DatabaseHandle> database = transaction.open_database(kCatalogName, false);
  if (!database) return database.status();
  Catalog catalog;
  Status s = read_record(transaction, *database, store_id(), &catalog.store);
  if (!s.ok()) return s;
  if (catalog.store.format != 1) return catalog;
  Result<Cursor> cursor = Cursor::open(transaction, *database);
  if (!cursor) return cursor.status();
  Result<bool> more = cursor->first();
  for (; more.ok() && *more; more = cursor->next()) {
    const std::string name(reinterpret_cast<const char*>(cursor->key().data()),
                           cursor->key().size());
    if (name == kStoreKey) continue;
    CatalogEntry entry;
    if (s = read_record(transaction, *database, entry_id(cursor->key()), &entry); !s.ok()) {
      return Status(s.code(), fmt::format("index '{}': {}", name, s.message()));
    }
    catalog.indexes.push_back({name, entry.index});
  }
  if (!more) return more.status();
  std::ranges::sort(catalog.indexes, {}, &Catalog::Index::id);
  return catalog;
}

Status read_part(Transaction& transaction, std::uint32_t index, const char* part,
                 const Take& take) {
  const std::string name = fmt::format("{}.{}", index, part);
  const Result<DatabaseHandle> database = transaction.open_database(name, false);
  if (!database) {
    if (database.status().code() != StatusCode::kNotFound) return database.status();
    return Status::corruption(fmt::format("database {} is missing", name));
  }
  const Result<std::uint64_t> entries = transaction.entries(*database);
  if (!entries) return entries.status();
  Result<Cursor> cursor = Cursor::open(transaction, *database);
  if (!cursor) return cursor.status();
  std::vector<Record> records;
  std::uint64_t found = 0;
  std::uint64_t bytes = 0;
  Result<bool> more = cursor->first();
  for (; more.ok() && *more; more = cursor->next()) {
    records.push_back({cursor->key(), cursor->value()});
    ++found;
    bytes += cursor->key().size() + cursor->value().size();
    if (bytes < kBytesAtOnce) continue;
    if (Status s = take(records); !s.ok()) return s;
    records.clear();
    bytes = 0;
  }
  if (!more) return more.status();
  if (found != *entries) {
    return Status::corruption(
        fmt::format("database {} has {} records, {} are found", name, *entries, found));
  }
  return records.empty() ? Status() : take(records);
}

}  // namespace vicinal::persist::format1
