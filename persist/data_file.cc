#include "persist/data_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>

#include "persist/descriptor.h"
#include "persist/disk_room.h"
#include "persist/folder_entries.h"
#include "persist/format.h"

namespace vicinal::persist {
namespace {

constexpr std::string_view kMadeMark = "vicinal store\n";

// LMDB 0.9's meta page on a 64-bit host: a page header of 16 bytes, then
//   0 magic u32, 4 version u32, 8 address, 16 map size, 24 two database records of 48 bytes (the
//   first begins with the page size), 120 last page u64, 128 transaction u64.
constexpr std::size_t kMetaBytes = 136;
constexpr std::uint32_t kLmdbMagic = 0xBEEFC0DE;
constexpr std::uint32_t kLmdbVersion = 1;

constexpr std::uint64_t kMostMissing = 1 << 30;  // bytes, beside as many as the file has

struct Meta {
  std::uint16_t page_flags = 0;  // of the header before it
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t page_size = 0;
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};

class File {
 public:
  explicit File(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

  bool ok() const { return fd_.get() >= 0; }
  /// False where the file ends before that.
  Result<bool> read_meta(std::uint64_t page_offset, Meta* meta) const {
    std::array<std::byte, kLmdbPageHeader + kMetaBytes> bytes;
    const ssize_t n =
        read_at(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(page_offset));
    if (n < 0) return Status::io_error(fmt::format("{}: {}", path_, std::strerror(errno)));
    if (n < static_cast<ssize_t>(bytes.size())) return false;
    const std::byte* const at = bytes.data() + kLmdbPageHeader;
    std::memcpy(&meta->page_flags, bytes.data() + 10, 2);
    std::memcpy(&meta->magic, at, 4);
    std::memcpy(&meta->version, at + 4, 4);
    std::memcpy(&meta->page_size, at + 24, 4);
    std::memcpy(&meta->last_page, at + 120, 8);
    std::memcpy(&meta->transaction, at + 128, 8);
    return true;
  }

 private:
  const std::string path_;
  const Descriptor fd_;
};

bool is_meta(const Meta& meta) { return meta.magic == kLmdbMagic; }
/// As in a file that has grown and was not written to.
bool is_blank(const Meta& meta) {
  return meta.magic == 0 && meta.version == 0 && meta.page_size == 0 && meta.transaction == 0;
}

/// Whether it is what a power cut may leave of a store's making: LMDB syncs its first meta pages with
/// its first commit, so until then either may be missing. `first`: what stands in place of the first.
Result<bool> is_unmade(const File& data, std::uint64_t size, const Meta& first) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  constexpr std::uint64_t kMostPages = 16;  // that the first commit writes, and more
  if (size > kMostPages * page) return false;
  if (!is_blank(first) && (!is_meta(first) || first.transaction != 0)) return false;
  Meta second;
  Result<bool> there = data.read_meta(page, &second);
  if (!there.ok()) return there;
  return !*there || is_blank(second) || (is_meta(second) && second.transaction == 0);
}

/// Whether a transaction was ever committed.
Result<bool> examine_data_file(const std::string& file, std::uint64_t size) {
  const File data(file);
  if (!data.ok()) return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  Meta first;
  Result<bool> there = data.read_meta(0, &first);
  if (!there) return there;
  Result<bool> unmade = is_unmade(data, size, first);
  if (!unmade) return unmade;
  if (*unmade) return false;
  if (!*there || !is_meta(first)) {
    return Status::corruption(
        fmt::format("{}: {} bytes that are not an LMDB data file", file, size));
  }
  if (first.version != kLmdbVersion) {
    return Status::format_version(fmt::format("{}: LMDB data version {}, this release reads {}",
                                              file, first.version, kLmdbVersion));
  }
  const std::uint64_t page = first.page_size;
  Meta second;
  const bool possible = page >= 512 && page <= 65536 && (page & (page - 1)) == 0;
  Result<bool> two = possible ? data.read_meta(page, &second) : Result<bool>(false);
  if (!two) return two;
  if (!*two || !is_meta(second) || second.page_size != page) {
    return Status::corruption(fmt::format("{}: damaged meta pages (page size {})", file, page));
  }
  const Meta& newest = second.transaction > first.transaction ? second : first;
  // LMDB maps what the meta page says. Free pages at the end may be missing, page_check sees to
  // that, but never so many.
  if (newest.last_page >= (2 * size + kMostMissing) / page) {
    return Status::corruption(fmt::format("{} is truncated: {} bytes, its last page is number {}",
                                          file, size, newest.last_page));
  }
  return newest.transaction > 0;
}

/// A folder without a data file that counts; `has`: what it has instead. `made`: it was marked before the
/// file was looked at.
Result<PathContent> examine_folder(const std::string& path, const std::string& has, bool made,
                                   const std::string& unfinished) {
  FolderEntries entries(path);
  while (const char* const entry = entries.next()) {
    const std::string_view name = entry;
    if (name != kDataFile && name != kLmdbLockFile && name != kWriterLockFile &&
        name != unfinished) {
      return Status::invalid_argument(
          fmt::format("{} is a folder with other content ('{}')", path, name));
    }
  }
  if (entries.error() != 0) {
    return Status::io_error(fmt::format("{}: {}", path, std::strerror(entries.error())));
  }
  if (made) {
    return Status::corruption(
        fmt::format("{}/{} {}, but the store was made", path, kDataFile, has));
  }
  return PathContent::kEmpty;
}

}  // namespace

Result<bool> marked_made(const std::string& path) {
  const std::string file = path + "/" + kWriterLockFile;
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    // Who may not read it may not open the store for writing either.
    if (errno == ENOENT || errno == EACCES) return false;
    return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  }
  std::array<char, 32> text{};
  const ssize_t n = read_at(fd.get(), text.data(), text.size(), 0);
  if (n < 0) return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  return std::string_view(text.data(), static_cast<std::size_t>(n)) == kMadeMark;
}

Result<PathContent> examine_path(const std::string& path, const std::string& unfinished) {
  if (path.empty()) return Status::invalid_argument("an empty path");
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return PathContent::kAbsent;
    if (errno == ENOTDIR) {
      return Status::invalid_argument(fmt::format("{}: part of the path is a file", path));
    }
    return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (!S_ISDIR(info.st_mode)) {
    return Status::invalid_argument(fmt::format("{} is not a folder", path));
  }
  const Result<bool> marked = marked_made(path);  // first: another process may be making the store
  if (!marked) return marked.status();
  const bool made = *marked;
  const std::string file = path + "/" + kDataFile;
  if (::stat(file.c_str(), &info) != 0) {
    if (errno != ENOENT) return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
    return examine_folder(path, "is missing", made, unfinished);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::invalid_argument(fmt::format("{} is not a regular file", file));
  }
  if (info.st_size == 0) return examine_folder(path, "is empty", made, unfinished);
  Result<bool> written = examine_data_file(file, static_cast<std::uint64_t>(info.st_size));
  // Another process may be writing the first meta pages.
  constexpr off_t kBeingMade = 2 << 16;
  constexpr int kMostTries = 20;
  constexpr std::chrono::milliseconds kBetweenTries{2};
  for (int tries = 1; written.status().code() == StatusCode::kCorruption &&
                      info.st_size < kBeingMade && tries < kMostTries;
       ++tries) {
    std::this_thread::sleep_for(kBetweenTries);
    if (::stat(file.c_str(), &info) != 0) break;
    written = examine_data_file(file, static_cast<std::uint64_t>(info.st_size));
  }
  if (!written) return written.status();
  if (*written) return PathContent::kStore;
  return examine_folder(path, fmt::format("has {} bytes without a commit", info.st_size), made,
                        unfinished);
}

bool has_sound_metas(const std::string& path) {
  constexpr std::uint16_t kMetaPage = 8;
  const std::string file = path + "/" + kDataFile;
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0 ? info.st_size == 0 : errno == ENOENT) return true;
  const File data(file);
  Meta first;
  Meta second;
  if (!data.ok()) return false;
  const Result<bool> one = data.read_meta(0, &first);
  const Result<bool> two = data.read_meta(first.page_size, &second);
  return one.ok() && *one && two.ok() && *two && is_meta(first) && is_meta(second) &&
         first.page_flags == kMetaPage && second.page_flags == kMetaPage;
}

Status clear_unmade(const std::string& path) {
  const std::string file = path + "/" + kDataFile;
  const Descriptor fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT) return {};
    return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  }
  const int error = ::ftruncate(fd.get(), 0) == 0 ? 0 : errno;
  return disk_status(error, "emptying", file, 0);
}

Status sync_folder(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  const int error = ::fsync(fd.get()) == 0 ? 0 : errno;
  return disk_status(error, "syncing the folder", path, 0);
}

Status sync_path(const std::string& path) {
  if (Status s = sync_folder(path); !s.ok()) return s;
  std::error_code error;
  std::filesystem::path folder = std::filesystem::canonical(path, error);
  struct stat own {};
  struct stat above {};
  if (error || ::stat(folder.c_str(), &own) != 0) return {};
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    // Another file system's folder knows nothing of this one's.
    if (::stat(folder.c_str(), &above) != 0 || above.st_dev != own.st_dev) break;
    // Who may not read a folder has not made anything in it.
    if (::access(folder.c_str(), R_OK) != 0) continue;
    if (Status s = sync_folder(folder.string()); !s.ok()) return s;
  }
  return {};
}

Status mark_made(const std::string& path, std::uint32_t mode) {
  const Result<bool> marked = marked_made(path);
  if (!marked.ok() || *marked) return marked.status();
  const std::string file = path + "/" + kWriterLockFile;
  Descriptor fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, mode));
  if (fd.get() < 0) return disk_status(errno, "making the lock file", file, kMadeMark.size());
  int error = write_all(fd.get(), kMadeMark.data(), kMadeMark.size());
  if (const int close_error = fd.close(); error == 0) error = close_error;
  return disk_status(error, "writing the lock file", file, kMadeMark.size());
}

}  // namespace vicinal::persist
