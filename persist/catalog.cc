#include "persist/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "persist/data_file.h"
#include "persist/fixed_records.h"
#include "persist/lmdb_cursor.h"
#include "persist/records.h"

namespace vicinal::persist {
namespace {

// No index has a name that begins so.
constexpr std::byte kDroppedMark{1};
constexpr std::string_view kFirstName("\2", 1);  // or before it
constexpr std::size_t kMaxName = 100;

/// Where the id of a dropped index stands.
class DroppedKey {
 public:
  explicit DroppedKey(std::uint32_t index) : bytes_{kDroppedMark} {
    std::ranges::copy(Key32(index).bytes(), bytes_.begin() + 1);
  }
  Bytes bytes() const { return bytes_; }

 private:
  std::array<std::byte, 1 + sizeof(std::uint32_t)> bytes_;
};

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

Status exists_already(std::string_view name) {
  return Status::invalid_argument(fmt::format("index '{}' exists already", name));
}

Catalog::Catalog(std::string path) : path_(std::move(path)) {}

Status Catalog::open(Transaction& transaction, bool fresh) {
  Result<DatabaseHandle> handle = transaction.open_database(kCatalogName, fresh);
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
  if (store.format == kStoreFormat) return {};
  return Status::format_version(fmt::format(
      "{}: store format {}, this release reads {}{}", path_, store.format, kStoreFormat,
      store.format < kStoreFormat ? "; `vicinal convert` or Store::convert() makes it one of those"
                                  : ""));
}

Result<std::vector<std::string>> Catalog::names(Transaction& transaction) const {
  Result<Cursor> cursor = Cursor::open(transaction, database_);
  if (!cursor) return cursor.status();
  std::vector<std::string> names;
  Result<bool> more = cursor->seek(text_key(kFirstName));
  for (; more.ok() && *more; more = cursor->next()) {
    names.emplace_back(reinterpret_cast<const char*>(cursor->key().data()), cursor->key().size());
    if (!check_index_name(names.back()).ok()) {
      return Status::corruption(
          fmt::format("the catalog of {} has an entry whose key, of {} bytes, is no index's name",
                      path_, names.back().size()));
    }
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
  if (Status s = read_record(transaction, database_, entry_id(text_key(name)), &entry); !s.ok())
    return s;
  return entry.index;
}

Result<std::uint32_t> Catalog::add(Transaction& transaction, std::string_view name) {
  const Result<std::uint32_t> found = find(transaction, name);
  if (found.ok()) return exists_already(name);
  if (found.status().code() != StatusCode::kNotFound) return found.status();
  StoreRecord store;
  if (Status s = read_record(transaction, database_, store_id(), &store); !s.ok()) return s;
  if (store.next_index == ~std::uint32_t{0}) {
    return Status::full(
        fmt::format("{} has made {} indexes, and no more", path_, store.next_index - 1));
  }
  const CatalogEntry entry{store.next_index++};
  if (Status s = write_record(transaction, database_, store_id(), store); !s.ok()) return s;
  if (Status s = write_record(transaction, database_, entry_id(text_key(name)), entry); !s.ok())
    return s;
  return entry.index;
}

Status Catalog::drop(Transaction& transaction, std::string_view name) {
  const Result<std::uint32_t> index = find(transaction, name);
  if (!index) return index.status();
  const DroppedKey key(*index);
  Status s = write_record(transaction, database_, entry_id(key.bytes()), CatalogEntry{*index});
  return s.ok() ? transaction.remove(database_, text_key(name)) : s;
}

Result<std::uint32_t> Catalog::first_dropped(Transaction& transaction) const {
  Result<Cursor> cursor = Cursor::open(transaction, database_);
  if (!cursor) return cursor.status();
  const Result<bool> found = cursor->seek(DroppedKey(0).bytes());
  if (!found) return found.status();
  const Bytes key = cursor->key();
  if (!*found || key.size() != DroppedKey(0).bytes().size() || key[0] != kDroppedMark) {
    return std::uint32_t{0};
  }
  const Result<Bytes> payload = unseal(entry_id(key), cursor->value());
  if (!payload) return payload.status();
  CatalogEntry entry;
  if (Status s = decode(*payload, &entry); !s.ok()) return s;
  return entry.index;
}

Result<std::set<std::uint32_t>> Catalog::ids(Transaction& transaction) const {
  Result<Cursor> cursor = Cursor::open(transaction, database_);
  if (!cursor) return cursor.status();
  std::set<std::uint32_t> ids;
  Result<bool> more = cursor->seek(DroppedKey(0).bytes());
  for (; more.ok() && *more; more = cursor->next()) {
    CatalogEntry entry;
    Status s = read_record(transaction, database_, entry_id(cursor->key()), &entry);
    if (!s.ok()) return s;
    ids.insert(entry.index);
  }
  if (!more) return more.status();
  return ids;
}

Status Catalog::forget_dropped(Transaction& transaction, std::uint32_t index) {
  return transaction.remove(database_, DroppedKey(index).bytes());
}

}  // namespace vicinal::persist
