#include "tools/matrix/input_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace vicinal::matrix {

Result<InputFile> InputFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    const int error = errno;
    const std::string message = fmt::format("{}: {}", path, std::strerror(error));
    return error == ENOENT ? Status::not_found(message) : Status::io_error(message);
  }
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return Status::invalid_argument(fmt::format("{}: not a regular file", path));
  }
  return InputFile(path, descriptor, static_cast<std::uint64_t>(info.st_size));
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
