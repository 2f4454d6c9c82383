#include "persist/store_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "persist/catalog.h"
#include "persist/commit_queue.h"
#include "persist/data_file.h"
#include "persist/disk_room.h"
#include "persist/fixed_records.h"
#include "persist/index_databases.h"
#include "persist/lmdb_env.h"
#include "persist/lookup.h"
#include "persist/page_check.h"
#include "persist/records.h"
#include "persist/stored_index.h"
#include "persist/summary.h"

namespace vicinal::persist {
namespace {

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
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return disk_status(error, "syncing the folder", path, 0);
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
  Result<FileLock> lock = FileLock::take(path, options.read_only, options.file_mode);
  if (!lock) return lock.status();
  // Somebody may have made or changed it before this lock was taken.
  content = examine_path(path);
  if (!content) return content.status();
  Result<std::unique_ptr<Environment>> environment =
      Environment::open(path, {options.durability, options.read_only, options.map_bytes,
                               options.max_map_bytes, options.file_mode});
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
  const bool fresh = *content != PathContent::kStore;
  Status opened = store->environment_->with_handles(
      [&](Transaction& transaction) { return store->catalog_->open(transaction, fresh); });
  if (!opened.ok()) return opened;
  if (!options.read_only) {
    if (Status s = mark_made(path, options.file_mode); !s.ok()) return s;
    if (fresh) {
      if (Status s = sync_folder(path); !s.ok()) return s;
    }
  }
  return store;
}

StoreFile::StoreFile(std::string path, const StoreOptions& options, FileLock lock,
                     std::unique_ptr<Environment> environment)
    : path_(std::move(path)),
      options_(options),
      lock_(std::move(lock)),
      environment_(std::move(environment)),
      queue_(std::make_unique<CommitQueue>(environment_.get())),
      catalog_(std::make_unique<Catalog>(path_)) {}

StoreFile::~StoreFile() {
  VICINAL_CHECK(open_.empty());  // IndexRecords die before their StoreFile
  if (!options_.read_only && options_.durability != Durability::kFull) {
    (void)environment_->sync();  // a clean close keeps everything
  }
}

Result<std::vector<std::string>> StoreFile::index_names() {
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return transaction.status();
  return catalog_->names(**transaction);
}

Result<StoredOptions> StoreFile::stored_options(std::string_view name) {
  if (Status s = check_index_name(name); !s.ok()) return s;
  OptionsRecord options;
  Status status = environment_->with_handles([&](Transaction& transaction) -> Status {
    const Result<std::uint32_t> index = catalog_->find(transaction, name);
    if (!index) return index.status();
    Result<IndexDatabases> databases = IndexDatabases::open(transaction, *index, false);
    if (!databases) return databases.status();
    return read_record(transaction, databases->meta, options_id(*index), &options);
  });
  if (!status.ok()) return status;
  return options.options;
}

Result<std::unique_ptr<IndexRecords>> StoreFile::create_index(std::string_view name,
                                                              const StoredOptions& options) {
  if (options_.read_only) return Status::read_only("the store was opened for reading");
  if (Status s = check_index_name(name); !s.ok()) return s;
  if (Status s = check_options(options); !s.ok()) return s;
  const internal::MutexLock lock(open_mutex_);
  std::unique_ptr<StoredIndex> index;
  Status status = environment_->with_handles(
      [&](Transaction& transaction) -> Status {
        const Result<std::uint32_t> id = catalog_->add(transaction, name);
        if (!id) return id.status();
        if (Status s = StoredIndex::create(transaction, *id, options); !s.ok()) return s;
        auto made = StoredIndex::open(*environment_, transaction, std::string(name), *id);
        if (made.ok()) index = std::move(*made);
        return made.status();
      },
      WriteKind::kAdds);
  if (!status.ok()) return status;
  return keep(std::move(index));
}

Result<std::unique_ptr<IndexRecords>> StoreFile::open_index(std::string_view name) {
  if (Status s = check_index_name(name); !s.ok()) return s;
  const internal::MutexLock lock(open_mutex_);
  if (open_.contains(name)) return Status::busy(fmt::format("index '{}' is open already", name));
  Result<std::unique_ptr<StoredIndex>> index = look_at(name);
  if (!index) return index.status();
  return keep(std::move(*index));
}

Result<std::unique_ptr<StoredIndex>> StoreFile::look_at(std::string_view name) {
  if (Status s = check_index_name(name); !s.ok()) return s;
  std::unique_ptr<StoredIndex> index;
  Status status = environment_->with_handles([&](Transaction& transaction) -> Status {
    const Result<std::uint32_t> id = catalog_->find(transaction, name);
    if (!id) return id.status();
    auto opened = StoredIndex::open(*environment_, transaction, std::string(name), *id);
    if (opened.ok()) index = std::move(*opened);
    return opened.status();
  });
  if (!status.ok()) return status;
  return index;
}

Result<StoredStats> StoreFile::stored_stats(std::string_view name) {
  const Result<std::unique_ptr<StoredIndex>> index = look_at(name);
  return index ? summarize(**index) : index.status();
}

Result<std::vector<std::vector<float>>> StoreFile::stored_vectors(std::string_view name,
                                                                  std::span<const Label> labels) {
  const Result<std::unique_ptr<StoredIndex>> index = look_at(name);
  return index ? lookup(**index, labels) : index.status();
}

Result<std::unique_ptr<IndexRecords>> StoreFile::keep(std::unique_ptr<StoredIndex> index) {
  const std::string name = index->name;
  std::function<void()> closed = [this, name] {
    const internal::MutexLock lock(open_mutex_);
    open_.erase(name);
  };
  auto records = std::make_unique<IndexRecords>(std::move(index), *queue_);
  open_.insert(name);
  records->on_close(std::move(closed));  // nothing fails from the insertion on
  return records;
}

Status StoreFile::drop_index(std::string_view name) {
  if (options_.read_only) return Status::read_only("the store was opened for reading");
  if (Status s = check_index_name(name); !s.ok()) return s;
  const internal::MutexLock lock(open_mutex_);
  if (open_.contains(name)) return Status::busy(fmt::format("index '{}' is open", name));
  return environment_->with_handles([&](Transaction& transaction) -> Status {
    const Result<std::uint32_t> index = catalog_->find(transaction, name);
    if (!index) return index.status();
    if (Status s = IndexDatabases::drop(transaction, *index); !s.ok()) return s;
    return catalog_->remove(transaction, name);
  });
}

Status StoreFile::sync() { return environment_->sync(); }

std::uint64_t StoreFile::bytes_on_disk() const { return environment_->file_bytes(); }
std::uint64_t StoreFile::map_bytes() const { return environment_->map_size().bytes(); }
int StoreFile::stale_readers() const { return environment_->stale_readers(); }

/// A copy inside the store's own folder would make it one "with other content".
Status StoreFile::check_outside(const std::string& path) const {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::canonical(path_, error);
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
  Result<PathContent> content = examine_path(path);
  if (!content) return content.status();
  if (*content == PathContent::kStore) {
    return Status::invalid_argument(fmt::format("{} holds a store already", path));
  }
  if (Status s = check_outside(path); !s.ok()) return s;
  if (Status s = make_folder(path); !s.ok()) return s;
  std::error_code error;
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
  if (status.ok()) status = mark_made(path, options_.file_mode);
  if (status.ok()) status = sync_folder(path);
  if (!status.ok()) std::filesystem::remove(unfinished, error);
  return status;
}

}  // namespace vicinal::persist
