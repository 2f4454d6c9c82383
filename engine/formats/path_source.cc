#include "engine/formats/path_source.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "persist/descriptor.h"

namespace vicinal::formats {
namespace {

Status read_at(int descriptor, const std::string& path, std::uint64_t offset, void* to,
               std::size_t bytes) {
  char* const out = static_cast<char*>(to);
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t got =
        ::pread(descriptor, out + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Status::io_error(
          fmt::format("{}: byte {}: {}", path, offset + done, std::strerror(errno)));
    }
    if (got == 0) {
      return Status::io_error(
          fmt::format("{}: byte {}: the file was cut while it was read", path, offset + done));
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

}  // namespace

Result<HnswlibSource> open_path(const std::string& path) {
  // A pipe without a writer would block the open.
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened < 0) {
    const int error = errno;
    const std::string message = fmt::format("{}: {}", path, std::strerror(error));
    return error == ENOENT ? Status::not_found(message) : Status::io_error(message);
  }
  const auto descriptor = std::make_shared<const persist::Descriptor>(opened);
  struct stat info {};
  if (::fstat(opened, &info) != 0) {
    return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::invalid_argument(fmt::format("{}: not a regular file", path));
  }
  HnswlibSource source;
  source.name = path;
  source.size = static_cast<std::uint64_t>(info.st_size);
  source.read = [descriptor, path](std::uint64_t offset, void* to, std::size_t bytes) {
    return read_at(descriptor->get(), path, offset, to, bytes);
  };
  return source;
}

}  // namespace vicinal::formats
