#include "persist/store_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>

#include "engine/base/check.h"
#include "persist/data_file.h"
#include "persist/file_lock.h"
#include "persist/index_records.h"
#include "persist/page_check.h"

namespace vicinal::persist {
namespace {

constexpr const char* kCatalog = "catalog";
constexpr std::string_view kStoreKey("\0", 1);  // no index has this name
constexpr std::size_t kMaxName = 100;

RecordId store_id() { return {RecordKind::kStore, 0, text_key(kStoreKey)}; }
RecordId catalog_id(std::string_view name) {
  return {RecordKind::kCatalogEntry, 0, text_key(name)};
}

Status check_name(std::string_view name) {
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

Status check_options(const StoredOptions& o) {
  if (o.dimension < 1 || o.dimension > kMaxDimension) {
    return Status::invalid_argument(
        fmt::format("dimension {}, 1 to {} are possible", o.dimension, kMaxDimension));
  }
  return {};
}

/// Makes the entries of a folder as durable as the files in it.
Status sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  const int rc = ::fsync(fd);
  ::close(fd);
  return rc == 0 ? Status() : Status::io_error(fmt::format("syncing the folder {}", path));
}

class StoreFileImpl final : public StoreFile {
 public:
  StoreFileImpl(std::string path, const StoreOptions& options, FileLock lock,
                std::unique_ptr<Environment> environment)
      : path_(std::move(path)),
        options_(options),
        lock_(std::move(lock)),
        environment_(std::move(environment)),
        queue_(environment_.get()) {}
  ~StoreFileImpl() override;

  Status open_catalog(bool fresh);

  const StoreOptions& options() const override { return options_; }
  const std::string& path() const override { return path_; }
  Result<std::vector<std::string>> index_names() override;
  Result<StoredOptions> stored_options(std::string_view name) override;
  Result<std::unique_ptr<IndexRecords>> create_index(std::string_view name,
                                                     const StoredOptions& options) override;
  Result<std::unique_ptr<IndexRecords>> open_index(std::string_view name) override;
  Status drop_index(std::string_view name) override;
  Status sync() override { return environment_->sync(); }
  Status backup(const std::string& path) override;
  std::uint64_t bytes_on_disk() const override { return environment_->file_bytes(); }

 private:
  Status find(Transaction& transaction, std::string_view name, CatalogEntry* entry);
  Result<std::unique_ptr<StoredIndex>> make_index(std::string_view name, Transaction& transaction,
                                                  std::uint32_t index, bool create);
  Result<std::unique_ptr<IndexRecords>> keep(std::unique_ptr<StoredIndex> index,
                                             const std::string& name);

  const std::string path_;
  const StoreOptions options_;
  FileLock lock_;  // released after the environment is closed
  std::unique_ptr<Environment> environment_;
  CommitQueue queue_;
  DatabaseHandle catalog_ = 0;

  std::mutex open_mutex_;
  std::set<std::string, std::less<>> open_;  // guarded by open_mutex_: names with live IndexRecords
};

StoreFileImpl::~StoreFileImpl() {
  VICINAL_CHECK(open_.empty());  // IndexRecords die before their StoreFile
  if (!options_.read_only && options_.durability != Durability::kFull) {
    (void)environment_->sync();  // a clean close keeps everything
  }
}

Status StoreFileImpl::open_catalog(bool fresh) {
  return environment_->with_handles([&](Transaction& transaction) -> Status {
    Result<DatabaseHandle> handle = transaction.open_database(kCatalog, fresh);
    if (!handle) {
      if (handle.status().code() != StatusCode::kNotFound) return handle.status();
      if (marked_made(path_)) {
        return Status::corruption(
            fmt::format("{} has lost its catalog: the name is damaged", path_));
      }
      return Status::invalid_argument(
          fmt::format("{} is an LMDB environment of somebody else: it has no catalog", path_));
    }
    catalog_ = *handle;
    if (fresh) return write_record(transaction, catalog_, store_id(), StoreRecord{});
    StoreRecord store;
    if (Status s = read_record(transaction, catalog_, store_id(), &store); !s.ok()) return s;
    if (store.format != kStoreFormat) {
      return Status::format_version(fmt::format("{}: store format {}, this release reads {}", path_,
                                                store.format, kStoreFormat));
    }
    return {};
  });
}

Status StoreFileImpl::find(Transaction& transaction, std::string_view name, CatalogEntry* entry) {
  Bytes value;
  Result<bool> found = transaction.get(catalog_, text_key(name), &value);
  if (!found) return found.status();
  if (!*found) return Status::not_found(fmt::format("no index '{}' in {}", name, path_));
  return read_record(transaction, catalog_, catalog_id(name), entry);
}

Result<std::vector<std::string>> StoreFileImpl::index_names() {
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return transaction.status();
  Result<Cursor> cursor = Cursor::open(**transaction, catalog_);
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

Result<StoredOptions> StoreFileImpl::stored_options(std::string_view name) {
  if (Status s = check_name(name); !s.ok()) return s;
  OptionsRecord options;
  Status status = environment_->with_handles([&](Transaction& transaction) -> Status {
    CatalogEntry entry;
    if (Status s = find(transaction, name, &entry); !s.ok()) return s;
    Result<IndexDatabases> databases = IndexDatabases::open(transaction, entry.index, false);
    if (!databases) return databases.status();
    return read_record(transaction, databases->meta, options_id(entry.index), &options);
  });
  if (!status.ok()) return status;
  return options.options;
}

Result<std::unique_ptr<StoredIndex>> StoreFileImpl::make_index(std::string_view name,
                                                               Transaction& transaction,
                                                               std::uint32_t index, bool create) {
  Result<IndexDatabases> databases = IndexDatabases::open(transaction, index, create);
  if (!databases) return databases.status();
  OptionsRecord options;
  Status status = read_record(transaction, databases->meta, options_id(index), &options);
  if (!status.ok()) return status;
  auto made = std::make_unique<StoredIndex>(environment_.get(), &queue_, std::string(name), index,
                                            *databases, options);
  if (status = made->start(transaction); !status.ok()) return status;
  return made;
}

Result<std::unique_ptr<IndexRecords>> StoreFileImpl::create_index(std::string_view name,
                                                                  const StoredOptions& options) {
  if (options_.read_only) return Status::read_only("the store was opened for reading");
  if (Status s = check_name(name); !s.ok()) return s;
  if (Status s = check_options(options); !s.ok()) return s;
  const std::lock_guard lock(open_mutex_);
  std::unique_ptr<StoredIndex> index;
  Status status = environment_->with_handles([&](Transaction& transaction) -> Status {
    CatalogEntry entry;
    Status found = find(transaction, name, &entry);
    if (found.ok()) return Status::invalid_argument(fmt::format("index '{}' exists already", name));
    if (found.code() != StatusCode::kNotFound) return found;
    Result<DatabaseStats> count = transaction.stats(catalog_);
    if (!count) return count.status();
    if (count->entries > kMaxIndexes) {
      return Status::full(fmt::format("a store holds at most {} indexes", kMaxIndexes));
    }
    StoreRecord store;
    if (Status s = read_record(transaction, catalog_, store_id(), &store); !s.ok()) return s;
    entry.index = store.next_index++;
    if (Status s = write_record(transaction, catalog_, store_id(), store); !s.ok()) return s;
    if (Status s = write_record(transaction, catalog_, catalog_id(name), entry); !s.ok()) return s;
    Result<IndexDatabases> databases = IndexDatabases::open(transaction, entry.index, true);
    if (!databases) return databases.status();
    const OptionsRecord record{options, rows_per_chunk_for(options.dimension)};
    Status s = write_record(transaction, databases->meta, options_id(entry.index), record);
    if (s.ok())
      s = write_record(transaction, databases->meta, state_id(entry.index), StateRecord{});
    if (!s.ok()) return s;
    Result<std::unique_ptr<StoredIndex>> made = make_index(name, transaction, entry.index, false);
    if (made.ok()) index = std::move(*made);
    return made.status();
  });
  if (!status.ok()) return status;
  return keep(std::move(index), std::string(name));
}

Result<std::unique_ptr<IndexRecords>> StoreFileImpl::open_index(std::string_view name) {
  if (Status s = check_name(name); !s.ok()) return s;
  const std::lock_guard lock(open_mutex_);
  if (open_.contains(name)) return Status::busy(fmt::format("index '{}' is open already", name));
  std::unique_ptr<StoredIndex> index;
  Status status = environment_->with_handles([&](Transaction& transaction) -> Status {
    CatalogEntry entry;
    if (Status s = find(transaction, name, &entry); !s.ok()) return s;
    Result<std::unique_ptr<StoredIndex>> made = make_index(name, transaction, entry.index, false);
    if (made.ok()) index = std::move(*made);
    return made.status();
  });
  if (!status.ok()) return status;
  return keep(std::move(index), std::string(name));
}

Result<std::unique_ptr<IndexRecords>> StoreFileImpl::keep(std::unique_ptr<StoredIndex> index,
                                                          const std::string& name) {
  std::function<void()> closed = [this, name] {
    const std::lock_guard lock(open_mutex_);
    open_.erase(name);
  };
  open_.insert(name);
  index->on_close(std::move(closed));  // nothing fails from the insertion on
  return std::unique_ptr<IndexRecords>(std::move(index));
}

Status StoreFileImpl::drop_index(std::string_view name) {
  if (options_.read_only) return Status::read_only("the store was opened for reading");
  if (Status s = check_name(name); !s.ok()) return s;
  const std::lock_guard lock(open_mutex_);
  if (open_.contains(name)) return Status::busy(fmt::format("index '{}' is open", name));
  return environment_->with_handles([&](Transaction& transaction) -> Status {
    CatalogEntry entry;
    if (Status s = find(transaction, name, &entry); !s.ok()) return s;
    if (Status s = IndexDatabases::drop(transaction, entry.index); !s.ok()) return s;
    return transaction.remove(catalog_, text_key(name));
  });
}

Status StoreFileImpl::backup(const std::string& path) {
  Result<PathContent> content = examine_path(path);
  if (!content) return content.status();
  if (*content == PathContent::kStore) {
    return Status::invalid_argument(fmt::format("{} holds a store already", path));
  }
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Status::io_error(fmt::format("making {}: {}", path, error.message()));
  const std::string file = path + "/" + kDataFile;
  std::filesystem::remove(file, error);  // empty, if it is there at all
  // The copy gets its name when it is whole.
  const std::string unfinished = file + ".part";
  std::filesystem::remove(unfinished, error);  // of a backup that was killed
  Status status = environment_->copy_to(unfinished);
  if (status.ok()) {
    std::filesystem::rename(unfinished, file, error);
    if (error)
      status = Status::io_error(fmt::format("renaming {}: {}", unfinished, error.message()));
  }
  if (status.ok()) status = mark_made(path);
  if (status.ok()) status = sync_folder(path);
  if (!status.ok()) std::filesystem::remove(unfinished, error);
  return status;
}

Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return {};
  return Status::io_error(fmt::format("making {}: {}", path, error.message()));
}

}  // namespace

Result<std::unique_ptr<StoreFile>> StoreFile::open(const std::string& path,
                                                   const StoreOptions& options) {
  Result<PathContent> content = examine_path(path);
  if (!content) return content.status();
  if (*content != PathContent::kStore && (!options.create || options.read_only)) {
    return Status::not_found(fmt::format("no store at {}", path));
  }
  if (*content == PathContent::kAbsent) {
    if (Status s = make_folder(path); !s.ok()) return s;
  }
  Result<FileLock> lock = FileLock::take(path, options.read_only);
  if (!lock) return lock.status();
  // Somebody may have made or changed it before this lock was taken.
  content = examine_path(path);
  if (!content) return content.status();
  Result<std::unique_ptr<Environment>> environment = Environment::open(
      path, {options.durability, options.read_only, options.map_bytes, options.max_map_bytes});
  if (!environment) return environment.status();
  if (Status s =
          check_pages(**environment, options.read_only ? PageCheck::kToRead : PageCheck::kToWrite);
      !s.ok()) {
    const bool may_read = s.code() == StatusCode::kCorruption && !options.read_only;
    return Status(s.code(),
                  fmt::format("{}: {}{}", path, s.message(),
                              may_read ? "; opened read-only it may give what is left" : ""));
  }
  (*environment)->learn_map();
  auto store =
      std::make_unique<StoreFileImpl>(path, options, std::move(*lock), std::move(*environment));
  const bool fresh = *content != PathContent::kStore;
  if (Status s = store->open_catalog(fresh); !s.ok()) return s;
  if (!options.read_only) {
    if (Status s = mark_made(path); !s.ok()) return s;
    if (fresh) {
      if (Status s = sync_folder(path); !s.ok()) return s;
    }
  }
  return std::unique_ptr<StoreFile>(std::move(store));
}

}  // namespace vicinal::persist
