#include "persist/convert.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "persist/data_file.h"
#include "persist/failpoints.h"
#include "persist/file_lock.h"
#include "persist/fixed_records.h"
#include "persist/format1.h"
#include "persist/index_databases.h"
#include "persist/lmdb_env.h"
#include "persist/page_check.h"
#include "persist/range_tail.h"

namespace vicinal::persist {
namespace {

constexpr const char* kFolder = "convert.part";  // of the copy until it is whole

class Converter {
 public:
  Converter(Transaction& from, Environment& to) : from_(from), to_(to) {}

  Status run(const format1::Catalog& catalog) {
    DatabaseHandle names = 0;
    Status s = to_.with_handles([&](Transaction& transaction) -> Status {
      const Result<DatabaseHandle> made = transaction.open_database(kCatalogName, true);
      if (!made) return made.status();
      names = *made;
      return databases_.open(transaction, true);
    });
    if (!s.ok()) return s;
    for (const format1::Catalog::Index& index : catalog.indexes) {
      if (s = copy(index.id); !s.ok()) return s;
    }
    return to_.write([&](Transaction& transaction) -> Status {
      const StoreRecord store{kStoreFormat, catalog.store.next_index};
      Status written = write_record(transaction, names, store_id(), store);
      for (const format1::Catalog::Index& index : catalog.indexes) {
        if (!written.ok()) break;
        const CatalogEntry entry{index.id};
        written = write_record(transaction, names, entry_id(text_key(index.name)), entry);
      }
      return written;
    });
  }

 private:
  Status copy(std::uint32_t index) {
    for (std::size_t part = 0; part < SharedDatabases::kCount; ++part) {
      const IndexRange range(databases_.handles()[part], index);
      Status s = format1::read_part(
          from_, index, SharedDatabases::kNames[part],
          [&](const std::vector<format1::Record>& records) { return store(range, records); });
      if (!s.ok()) return s;
    }
    const IndexDatabases databases = databases_.of(index);
    return to_.write([&](Transaction& transaction) -> Status {
      Status s = write_tail(transaction, databases.nodes);
      return s.ok() ? write_tail(transaction, databases.journal) : s;
    });
  }

  Status store(const IndexRange& range, const std::vector<format1::Record>& records) {
    return to_.write([&](Transaction& transaction) -> Status {
      for (const auto& [key, value] : records) {
        if (key.size() > kLongestKey - IndexRange::kIdBytes) {
          return Status::corruption(
              fmt::format("a key of {} bytes in index {}", key.size(), range.index()));
        }
        if (Status s = range.put(transaction, key, value, PutMode::kAppend); !s.ok()) return s;
      }
      return {};
    });
  }

  Transaction& from_;
  Environment& to_;
  SharedDatabases databases_;
};

/// The copy of the store at `path` in `folder`; false when there is nothing to convert.
Result<bool> copy_store(const std::string& path, const std::string& folder) {
  EnvironmentOptions reading;
  reading.read_only = true;
  reading.databases = format1::kDatabases;
  const Result<std::unique_ptr<Environment>> from = Environment::open(path, reading);
  if (!from) return from.status();
  if (Status s = check_pages(**from, PageCheck::kToWrite); !s.ok()) return s;
  (*from)->learn_map();
  bool converted = false;
  const Status status = (*from)->with_handles([&](Transaction& transaction) -> Status {
    const Result<format1::Catalog> catalog = format1::read_catalog(transaction);
    if (!catalog) return catalog.status();
    if (catalog->store.format == kStoreFormat) return {};
    if (catalog->store.format != 1) {
      return Status::format_version(
          fmt::format("store format {}, this release converts 1", catalog->store.format));
    }
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error) return Status::io_error(fmt::format("making {}: {}", folder, error.message()));
    EnvironmentOptions writing;
    writing.durability = Durability::kNone;
    const Result<std::unique_ptr<Environment>> to = Environment::open(folder, writing);
    if (!to) return to.status();
    Status s = Converter(transaction, **to).run(*catalog);
    if (s.ok()) s = (*to)->sync();
    if (s.ok()) s = check_pages(**to, PageCheck::kToWrite);
    converted = s.ok();
    return s;
  });
  if (!status.ok()) return status;
  return converted;
}

/// The copy takes the store's place. LMDB's table of readers is of the old file.
Status take_place(const std::string& path, const std::string& folder) {
  const std::string copy = folder + "/" + kDataFile;
  const std::string file = path + "/" + kDataFile;
  std::error_code error;
  const std::filesystem::file_status old = std::filesystem::status(file, error);
  if (!error) std::filesystem::permissions(copy, old.permissions(), error);
  if (error) return Status::io_error(fmt::format("{}: {}", file, error.message()));
  if (Status s = failpoints::reach("convert.before_rename"); !s.ok()) return s;
  std::filesystem::remove(path + "/" + kLmdbLockFile, error);
  if (!error) std::filesystem::rename(copy, file, error);
  if (error) return Status::io_error(fmt::format("renaming {}: {}", copy, error.message()));
  if (Status s = failpoints::reach("convert.after_rename"); !s.ok()) return s;
  std::filesystem::remove(path + "/" + kLmdbLockFile, error);  // of who opened it between the two
  if (Status s = sync_folder(path); !s.ok()) return s;
  return mark_made(path, 0666);
}

}  // namespace

Result<bool> convert(const std::string& path) {
  Result<PathContent> content = examine_path(path);
  if (!content) return content.status();
  if (*content != PathContent::kStore) return Status::not_found("no store at " + path);
  const Result<FileLock> lock = FileLock::take(path, false, 0666);
  if (!lock) return lock.status();
  const std::string folder = path + "/" + kFolder;
  std::error_code error;
  std::filesystem::remove_all(folder, error);  // of one that was killed
  const Result<bool> copied = copy_store(path, folder);
  Status status = copied.status();
  if (copied.ok() && *copied) status = take_place(path, folder);
  std::filesystem::remove_all(folder, error);
  if (!status.ok()) return Status(status.code(), path + ": " + status.message());
  return *copied;
}

}  // namespace vicinal::persist
