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

#include "persist/disk_room.h"
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
  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint32_t page_size = 0;
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool ok() const { return fd_ >= 0; }

  bool read_meta(std::uint64_t page_offset, Meta* meta) const {
    std::array<std::byte, kMetaBytes> bytes;
    const auto offset = static_cast<off_t>(page_offset + kLmdbPageHeader);
    if (::pread(fd_, bytes.data(), bytes.size(), offset) != static_cast<ssize_t>(bytes.size())) {
      return false;
    }
    std::memcpy(&meta->magic, bytes.data(), 4);
    std::memcpy(&meta->version, bytes.data() + 4, 4);
    std::memcpy(&meta->page_size, bytes.data() + 24, 4);
    std::memcpy(&meta->last_page, bytes.data() + 120, 8);
    std::memcpy(&meta->transaction, bytes.data() + 128, 8);
    return true;
  }

 private:
  int fd_;
};

/// Whether a transaction was ever committed.
Result<bool> examine_data_file(const std::string& file, std::uint64_t size) {
  const File data(file);
  if (!data.ok()) return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  Meta first;
  if (!data.read_meta(0, &first) || first.magic != kLmdbMagic) {
    return Status::corruption(
        fmt::format("{}: {} bytes that are not an LMDB data file", file, size));
  }
  if (first.version != kLmdbVersion) {
    return Status::format_version(fmt::format("{}: LMDB data version {}, this release reads {}",
                                              file, first.version, kLmdbVersion));
  }
  const std::uint64_t page = first.page_size;
  Meta second;
  if (page < 512 || page > 65536 || (page & (page - 1)) != 0 || !data.read_meta(page, &second) ||
      second.magic != kLmdbMagic || second.page_size != page) {
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

/// A folder without a data file that counts. `made`: it was marked before the file was looked at.
Result<PathContent> examine_folder(const std::string& path, bool has_data_file, bool made) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    if (name != kDataFile && name != kLmdbLockFile && name != kWriterLockFile) {
      return Status::invalid_argument(
          fmt::format("{} is a folder with other content ('{}')", path, name));
    }
  }
  if (error) return Status::io_error(fmt::format("{}: {}", path, error.message()));
  if (made) {
    return Status::corruption(fmt::format("{}/{} is {}, but the store was made", path, kDataFile,
                                          has_data_file ? "empty" : "missing"));
  }
  return PathContent::kEmpty;
}

}  // namespace

bool marked_made(const std::string& path) {
  const int fd = ::open((path + "/" + kWriterLockFile).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::array<char, 32> text{};
  const ssize_t n = ::read(fd, text.data(), text.size());
  ::close(fd);
  return n > 0 && std::string_view(text.data(), static_cast<std::size_t>(n)) == kMadeMark;
}

Result<PathContent> examine_path(const std::string& path) {
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
  const bool made = marked_made(path);  // first: another process may be making the store
  const std::string file = path + "/" + kDataFile;
  if (::stat(file.c_str(), &info) != 0) {
    if (errno != ENOENT) return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
    return examine_folder(path, false, made);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::invalid_argument(fmt::format("{} is not a regular file", file));
  }
  if (info.st_size == 0) return examine_folder(path, true, made);
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
  return *written ? PathContent::kStore : examine_folder(path, true, made);
}

Status sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return disk_status(error, "syncing the folder", path, 0);
}

Status mark_made(const std::string& path, std::uint32_t mode) {
  if (marked_made(path)) return {};
  const std::string file = path + "/" + kWriterLockFile;
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
  if (fd < 0) return disk_status(errno, "making the lock file", file, kMadeMark.size());
  const ssize_t n = ::write(fd, kMadeMark.data(), kMadeMark.size());
  const int error = errno;
  ::close(fd);
  if (n == static_cast<ssize_t>(kMadeMark.size())) return {};
  return disk_status(n < 0 ? error : ENOSPC, "writing the lock file", file, kMadeMark.size());
}

}  // namespace vicinal::persist
