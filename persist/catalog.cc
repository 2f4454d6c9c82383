#include "persist/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "persist/data_file.h"
#include "persist/fixed_records.h"
#include "persist/lmdb_cursor.h"
#include "persist/records.h"

namespace vicinal::persist {
namespace {

constexpr const char* kCatalog = "catalog";
constexpr std::string_view kStoreKey("\0", 1);  // no index has this name
constexpr std::size_t kMaxName = 100;

RecordId store_id() { return {RecordKind::kStore, 0, text_key(kStoreKey)}; }
RecordId entry_id(std::string_view name) { return {RecordKind::kCatalogEntry, 0, text_key(name)}; }

}  // namespace

Status check_index_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (name.empty() || name.size() > kMaxName || !std::all_of(name.begin(), name.end(), allowed)) {
    return Status::invalid_argument(fmt::format(
        "an index name has 1 to {} letters, digits, '_', '-' or '.'; this one has {} bytes",
        kMaxName, name.size()));
  }
  return {};
}

Catalog::Catalog(std::string path) : path_(std::move(path)) {}

Status Catalog::open(Transaction& transaction, bool fresh) {
  Result<DatabaseHandle> handle = transaction.open_database(kCatalog, fresh);
  if (!handle) {
    if (handle.status().code() != StatusCode::kNotFound) return handle.status();
    if (marked_made(path_)) {
      return Status::corruption(fmt::format("{} has lost its catalog: the name is damaged", path_));
    }
    return Status::invalid_argument(
        fmt::format("{} is an LMDB environment of somebody else: it has no catalog", path_));
  }
  database_ = *handle;
  if (fresh) return write_record(transaction, database_, store_id(), StoreRecord{});
  StoreRecord store;
  if (Status s = read_record(transaction, database_, store_id(), &store); !s.ok()) return s;
  if (store.format != kStoreFormat) {
    return Status::format_version(fmt::format("{}: store format {}, this release reads {}", path_,
                                              store.format, kStoreFormat));
  }
  return {};
}

Result<std::vector<std::string>> Catalog::names(Transaction& transaction) const {
  Result<Cursor> cursor = Cursor::open(transaction, database_);
  if (!cursor) return cursor.status();
  std::vector<std::string> names;
  Result<bool> more = cursor->first();
  for (; more.ok() && *more; more = cursor->next()) {
    const std::string_view name(reinterpret_cast<const char*>(cursor->key().data()),
                                cursor->key().size());
    if (name != kStoreKey) names.emplace_back(name);
  }
  if (!more) return more.status();
  return names;
}

Result<std::uint32_t> Catalog::find(Transaction& transaction, std::string_view name) const {
  Bytes value;
  Result<bool> found = transaction.get(database_, text_key(name), &value);
  if (!found) return found.status();
  if (!*found) return Status::not_found(fmt::format("no index '{}' in {}", name, path_));
  CatalogEntry entry;
  if (Status s = read_record(transaction, database_, entry_id(name), &entry); !s.ok()) return s;
  return entry.index;
}

Result<std::uint32_t> Catalog::add(Transaction& transaction, std::string_view name) {
  const Result<std::uint32_t> found = find(transaction, name);
  if (found.ok()) return Status::invalid_argument(fmt::format("index '{}' exists already", name));
  if (found.status().code() != StatusCode::kNotFound) return found.status();
  Result<DatabaseStats> count = transaction.stats(database_);
  if (!count) return count.status();
  if (count->entries > kMaxIndexes) {
    return Status::full(fmt::format("a store holds at most {} indexes", kMaxIndexes));
  }
  StoreRecord store;
  if (Status s = read_record(transaction, database_, store_id(), &store); !s.ok()) return s;
  const CatalogEntry entry{store.next_index++};
  if (Status s = write_record(transaction, database_, store_id(), store); !s.ok()) return s;
  if (Status s = write_record(transaction, database_, entry_id(name), entry); !s.ok()) return s;
  return entry.index;
}

Status Catalog::remove(Transaction& transaction, std::string_view name) {
  return transaction.remove(database_, text_key(name));
}

}  // namespace vicinal::persist
