#include "persist/store_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "persist/catalog.h"
#include "persist/commit_queue.h"
#include "persist/data_file.h"
#include "persist/disk_room.h"
#include "persist/dropped.h"
#include "persist/failpoints.h"
#include "persist/fixed_records.h"
#include "persist/index_databases.h"
#include "persist/lmdb_env.h"
#include "persist/lookup.h"
#include "persist/page_check.h"
#include "persist/records.h"
#include "persist/stored_index.h"
#include "persist/summary.h"
#include "persist/verify.h"

namespace vicinal::persist {
namespace {

Status check_options(const StoredOptions& o) {
  if (o.dimension < 1 || o.dimension > kMaxDimension) {
    return Status::invalid_argument(
        fmt::format("dimension {}, 1 to {} are possible", o.dimension, kMaxDimension));
  }
  return {};
}

Status make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) return {};
  if (error == std::errc::no_space_on_device) {
    return Status::full(fmt::format("making {}: {}", path, error.message()));
  }
  return Status::io_error(fmt::format("making {}: {}", path, error.message()));
}

EnvironmentOptions environment_options(const StoreOptions& options) {
  // Another process's limits may be others: who only reads maps what it can, and need not move it.
  const bool limited = !options.read_only;
  return {options.durability, options.read_only, limited ? options.map_bytes : 0,
          limited ? options.max_map_bytes : 0, options.file_mode};
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
    VICINAL_RETURN_IF_ERROR(make_folder(path));
  }
  Result<FileLock> lock = FileLock::take(path, options.read_only, options.file_mode);
  if (!lock) return lock.status();
  // Somebody may have made or changed it before this lock was taken.
  content = examine_path(path);
  if (!content) return content.status();
  const bool fresh = *content != PathContent::kStore;
  if (fresh && !options.read_only) {
    VICINAL_RETURN_IF_ERROR(clear_unmade(path));
  }
  Result<std::unique_ptr<Environment>> environment =
      Environment::open(path, environment_options(options));
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
  std::unique_ptr<StoreFile> store(
      new StoreFile(path, options, std::move(*lock), std::move(*environment)));
  VICINAL_RETURN_IF_ERROR(failpoints::reach("open.checked"));
  Status opened = store->environment_->with_handles([&](Transaction& transaction) -> Status {
    VICINAL_RETURN_IF_ERROR(store->catalog_->open(transaction, fresh));
    VICINAL_RETURN_IF_ERROR(store->databases_->open(transaction, fresh));
    const Result<std::uint32_t> dropped = store->catalog_->first_dropped(transaction);
    store->some_dropped_ = dropped.ok() && *dropped != 0;
    return dropped.status();
  });
  if (!opened.ok()) return opened;
  if (!options.read_only) {
    VICINAL_RETURN_IF_ERROR(failpoints::reach("open.before_mark"));
    VICINAL_RETURN_IF_ERROR(store->keep_made());
    VICINAL_RETURN_IF_ERROR(failpoints::reach("open.marked"));
  }
  return store;
}

// Once: the store is there, whatever the durability of what is written to it, before its mark says
// so. A process that was killed in between leaves this to the next.
Status StoreFile::keep_made() {
  const Result<bool> marked = marked_made(path_);
  if (!marked.ok() || *marked) return marked.status();
  if (options_.durability != Durability::kFull) {
    if (Status s = environment_->sync(); !s.ok()) return s;
  }
  if (Status s = sync_path(path_); !s.ok()) return s;
  return mark_made(path_, options_.file_mode);
}

StoreFile::StoreFile(std::string path, const StoreOptions& options, FileLock lock,
                     std::unique_ptr<Environment> environment)
    : path_(std::move(path)),
      options_(options),
      lock_(std::move(lock)),
      environment_(std::move(environment)),
      queue_(std::make_unique<CommitQueue>(environment_.get())),
      catalog_(std::make_unique<Catalog>(path_)),
      databases_(std::make_unique<SharedDatabases>()) {}

StoreFile::~StoreFile() {
  VICINAL_CHECK(open_.empty());  // IndexRecords die before their StoreFile
  if (!finished_) (void)finish();
}

Status StoreFile::finish() {
  finished_ = true;
  if (options_.read_only || options_.durability == Durability::kFull) return {};
  return environment_->sync();
}

Result<std::vector<std::string>> StoreFile::index_names() {
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return transaction.status();
  return catalog_->names(**transaction);
}

struct StoreFile::Seen {
  ReadTransaction transaction;
  std::unique_ptr<StoredIndex> index;
};

class StoreFile::Hold {
 public:
  Hold(StoreFile& store, std::string_view name) : store_(store), name_(name) {
    const internal::MutexLock lock(store_.open_mutex_);
    held_ = store_.open_.insert(name_).second;
  }
  ~Hold() {
    if (held_) store_.release(name_);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  Status status() const {
    return held_ ? Status() : Status::busy(fmt::format("index '{}' is open already", name_));
  }
  /// It is released by the records' end.
  void pass_to(IndexRecords& records) {
    records.on_close([store = &store_, name = name_] { store->release(name); });
    held_ = false;
  }

 private:
  StoreFile& store_;
  const std::string name_;
  bool held_ = false;
};

void StoreFile::release(const std::string& name) {
  const internal::MutexLock lock(open_mutex_);
  open_.erase(name);
}

Result<std::unique_ptr<IndexRecords>> StoreFile::create_index(std::string_view name,
                                                              const StoredOptions& options) {
  if (options_.read_only) return Status::read_only("the store was opened for reading");
  if (Status s = check_index_name(name); !s.ok()) return s;
  if (Status s = check_options(options); !s.ok()) return s;
  Hold hold(*this, name);
  if (!hold.status().ok()) return exists_already(name);
  (void)delete_dropped();
  std::unique_ptr<StoredIndex> index;
  Status status = environment_->write(
      [&](Transaction& transaction) -> Status {
        const Result<std::uint32_t> id = catalog_->add(transaction, name);
        if (!id) return id.status();
        const IndexDatabases databases = databases_->of(*id);
        if (Status s = StoredIndex::create(transaction, *id, databases, options); !s.ok()) return s;
        auto made =
            StoredIndex::open(*environment_, transaction, std::string(name), *id, databases);
        if (made.ok()) index = std::move(*made);
        return made.status();
      },
      WriteKind::kAdds);
  if (!status.ok()) return status;
  return keep(std::move(index), hold);
}

Result<std::unique_ptr<IndexRecords>> StoreFile::open_index(std::string_view name) {
  if (Status s = check_index_name(name); !s.ok()) return s;
  Hold hold(*this, name);
  if (Status s = hold.status(); !s.ok()) return s;
  Result<Seen> seen = look_at(name);
  if (!seen) return seen.status();
  return keep(std::move(seen->index), hold);
}

Result<StoreFile::Seen> StoreFile::look_at(std::string_view name) {
  if (Status s = check_index_name(name); !s.ok()) return s;
  Result<ReadTransaction> transaction = environment_->read(Stay::kLong);
  if (!transaction) return transaction.status();
  const Result<std::uint32_t> id = catalog_->find(**transaction, name);
  if (!id) return id.status();
  auto index =
      StoredIndex::open(*environment_, **transaction, std::string(name), *id, databases_->of(*id));
  if (!index) return index.status();
  return Seen{std::move(*transaction), std::move(*index)};
}

Status StoreFile::dropped_since(std::string_view name, std::uint32_t id) {
  if (!options_.read_only) return {};  // nobody else writes
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return {};
  const Result<std::uint32_t> now = catalog_->find(**transaction, name);
  if (now ? *now == id : now.status().code() != StatusCode::kNotFound) return {};
  return Status::not_found(fmt::format("index \"{}\" has been dropped by another process", name));
}

Result<StoredStats> StoreFile::stored_stats(std::string_view name, StoredOptions& options) {
  Result<Seen> seen = look_at(name);
  if (!seen) return seen.status();
  options = seen->index->options;
  return summarize(*seen->index, *seen->transaction);
}

Result<StoredVectors> StoreFile::stored_vectors(std::string_view name,
                                                std::span<const Label> labels) {
  Result<Seen> seen = look_at(name);
  return seen ? lookup(*seen->index, *seen->transaction, labels) : seen.status();
}

Result<std::unique_ptr<IndexRecords>> StoreFile::keep(std::unique_ptr<StoredIndex> index,
                                                      Hold& hold) {
  auto records = std::make_unique<IndexRecords>(std::move(index), *queue_);
  hold.pass_to(*records);
  return records;
}

Status StoreFile::drop_index(std::string_view name) {
  if (options_.read_only) return Status::read_only("the store was opened for reading");
  if (Status s = check_index_name(name); !s.ok()) return s;
  Hold hold(*this, name);
  if (Status s = hold.status(); !s.ok()) return s;
  bool more = false;
  bool others = false;
  Status status = environment_->write([&](Transaction& transaction) -> Status {
    const Result<std::uint32_t> before = catalog_->first_dropped(transaction);
    others = before.ok() && *before != 0;
    if (Status s = catalog_->drop(transaction, name); !s.ok()) return s;
    const Result<bool> deleted = persist::delete_dropped(transaction, *databases_, *catalog_);
    more = deleted.ok() && *deleted;
    return deleted.status();
  });
  if (status.code() == StatusCode::kCorruption && others) {
    // One dropped before is damaged, and stays: this one's records do too, behind it.
    status = environment_->write(
        [&](Transaction& transaction) { return catalog_->drop(transaction, name); });
  }
  if (status.ok() && more) some_dropped_ = true;
  return status;
}

bool StoreFile::delete_dropped() noexcept {
  if (options_.read_only || !some_dropped_.load(std::memory_order_relaxed)) return false;
  try {
    some_dropped_ = false;  // before: another drop may say so meanwhile
    bool more = false;
    const Status status = environment_->write([&](Transaction& transaction) -> Status {
      const Result<bool> deleted = persist::delete_dropped(transaction, *databases_, *catalog_);
      more = deleted.ok() && *deleted;
      return deleted.ok() ? failpoints::reach("drop.between_steps") : deleted.status();
    });
    if (!more || !status.ok()) return false;
    some_dropped_ = true;
    return true;
  } catch (const std::bad_alloc&) {
    some_dropped_ = true;
    return false;
  }
}

Result<std::uint64_t> StoreFile::verify_ids(std::vector<std::string>* messages) {
  Result<ReadTransaction> transaction = environment_->read(Stay::kLong);
  if (!transaction) return transaction.status();
  const Result<std::set<std::uint32_t>> ids = catalog_->ids(**transaction);
  if (!ids) return ids.status();
  return persist::verify_ids(**transaction, *databases_, *ids, messages);
}

Status StoreFile::sync() { return environment_->sync(); }

std::uint64_t StoreFile::bytes_on_disk() const { return environment_->file_bytes(); }
std::uint64_t StoreFile::map_bytes() const { return environment_->map_size().bytes(); }
std::uint64_t StoreFile::most_bytes_of_upserts() const {
  return environment_->map_size().limit(WriteKind::kAdds);
}
int StoreFile::stale_readers() const { return environment_->stale_readers(); }

/// A copy inside the store's own folder would make it one "with other content".
Status StoreFile::check_outside(const std::string& path) const {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::canonical(environment_->path(), error);
  if (error) return Status::io_error(fmt::format("{}: {}", path_, error.message()));
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  if (error) return Status::io_error(fmt::format("{}: {}", path, error.message()));
  if (std::mismatch(own.begin(), own.end(), target.begin(), target.end()).first != own.end()) {
    return {};
  }
  return Status::invalid_argument(
      fmt::format("a backup into {} lies in the store's own folder {}", path, path_));
}

Status StoreFile::backup(const std::string& path) {
  const std::string part = std::string(kDataFile) + ".part";
  const auto check_free = [&]() -> Status {
    const Result<PathContent> content = examine_path(path, part);
    if (!content) return content.status();
    if (*content != PathContent::kStore) return {};
    return Status::invalid_argument(fmt::format("{} holds a store already", path));
  };
  if (Status s = check_free(); !s.ok()) return s;
  if (Status s = check_outside(path); !s.ok()) return s;
  if (Status s = check_pages(*environment_, PageCheck::kToCopy); !s.ok()) {
    return Status(s.code(), fmt::format("{}: {}", path_, s.message()));
  }
  if (Status s = make_folder(path); !s.ok()) return s;
  // Of the copy's own folder: until the end no other backup into it is under way.
  const Result<FileLock> lock = FileLock::take(path, false, options_.file_mode);
  if (!lock) return lock.status();
  if (Status s = check_free(); !s.ok()) return s;  // one may have ended meanwhile
  std::error_code error;
  const std::string file = path + "/" + kDataFile;
  std::filesystem::remove(file, error);  // empty, if it is there at all
  // The copy gets its name when it is whole.
  const std::string unfinished = path + "/" + part;
  std::filesystem::remove(unfinished, error);  // of a backup that was killed
  Status status = environment_->copy_to(unfinished);
  if (status.ok()) status = failpoints::reach("backup.before_rename");
  if (status.ok()) {
    std::filesystem::rename(unfinished, file, error);
    if (error)
      status = Status::io_error(fmt::format("renaming {}: {}", unfinished, error.message()));
  }
  if (status.ok()) status = failpoints::reach("backup.after_rename");
  if (status.ok()) status = sync_path(path);
  if (status.ok()) status = mark_made(path, options_.file_mode);
  if (!status.ok()) std::filesystem::remove(unfinished, error);
  return status;
}

}  // namespace vicinal::persist
