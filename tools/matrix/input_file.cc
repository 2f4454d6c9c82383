#include "tools/matrix/input_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vicinal::matrix {

namespace {

/// A descriptor on its way into an InputFile.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }
  void replace(int descriptor) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = descriptor;
  }

 private:
  int descriptor_;
};

Result<int> open_descriptor(const std::string& path) {
  static bool standard_input_read = false;
  if (path == "-") {
    if (std::exchange(standard_input_read, true)) {
      return Status::invalid_argument("standard input can be read only once");
    }
    return ::dup(STDIN_FILENO);
  }
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) return descriptor;
  const int error = errno;
  const std::string message = fmt::format("{}: {}", path, std::strerror(error));
  return error == ENOENT ? Status::not_found(message) : Status::io_error(message);
}

/// A file that is at its beginning, whatever `descriptor` is.
Status make_plain(const std::string& name, bool standard_input, Descriptor& descriptor) {
  struct stat info {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &info) != 0) {
    return Status::io_error(fmt::format("{}: {}", name, std::strerror(errno)));
  }
  const bool piped =
      S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) || (S_ISCHR(info.st_mode) && standard_input);
  if (!piped && !S_ISREG(info.st_mode)) {
    return Status::invalid_argument(fmt::format("{}: not a regular file", name));
  }
  if (!piped && ::lseek(descriptor.get(), 0, SEEK_CUR) == 0) return {};
  Result<int> plain = spool(descriptor.get(), name);
  if (!plain.ok()) return plain.status();
  descriptor.replace(*plain);
  return {};
}

}  // namespace

Result<InputFile> InputFile::open(const std::string& path, Packing packing) {
  Result<int> opened = open_descriptor(path);
  if (!opened.ok()) return opened.status();
  Descriptor descriptor(*opened);
  const std::string name = path == "-" ? "standard input" : path;
  if (Status s = make_plain(name, path == "-", descriptor); !s.ok()) return s;
  const bool packed = packing == Packing::kGzip || path.ends_with(".gz") ||
                      (packing == Packing::kByContent && looks_packed(descriptor.get()));
  Result<InputFile> file = take(descriptor.release(), name);
  if (!file.ok() || !packed || file->size() == 0) return file;
  Result<int> plain = gunzip(file->descriptor(), name);
  if (!plain.ok()) return plain.status();
  return take(*plain, name);
}

Result<InputFile> InputFile::take(int descriptor, const std::string& name) {
  Descriptor owned(descriptor);
  struct stat info {};
  if (::fstat(owned.get(), &info) != 0) {
    return Status::io_error(fmt::format("{}: {}", name, std::strerror(errno)));
  }
  return InputFile(name, owned.release(), static_cast<std::uint64_t>(info.st_size));
}

InputFile::InputFile(std::string path, int descriptor, std::uint64_t size)
    : path_(std::move(path)), descriptor_(descriptor), size_(size) {}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status InputFile::read_at(std::uint64_t offset, void* to, std::size_t bytes) const {
  char* out = static_cast<char*>(to);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        ::pread(descriptor_, out + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0) {
      if (errno == EINTR) continue;
      return Status::io_error(
          fmt::format("{}: byte {}: {}", path_, offset + done, std::strerror(errno)));
    }
    if (got == 0) {
      return malformed(
          offset + done,
          fmt::format("the file ends here, {} bytes wanted from byte {}", bytes, offset));
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Status InputFile::malformed(std::uint64_t offset, std::string_view message) const {
  return Status::invalid_argument(fmt::format("{}: byte {}: {}", path_, offset, message));
}

}  // namespace vicinal::matrix
