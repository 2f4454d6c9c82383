#include "tools/matrix/temporary.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tools/interrupt.h"

namespace vicinal::matrix {

Temporary::Temporary() {
  const char* const wanted = std::getenv("TMPDIR");
  folder_ = wanted != nullptr && *wanted != '\0' ? wanted : "/var/tmp";
  std::string path = folder_ + "/vicinal-XXXXXX";
  descriptor_ = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor_ >= 0) {
    ::unlink(path.c_str());
  } else {
    failed(errno);
  }
}

Temporary::~Temporary() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int Temporary::release() { return std::exchange(descriptor_, -1); }

bool Temporary::write(const void* from, std::size_t bytes) {
  const char* at = static_cast<const char*>(from);
  while (bytes > 0 && status_.ok()) {
    const ssize_t put = ::write(descriptor_, at, bytes);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      failed(errno);
    } else {
      at += put;
      bytes -= static_cast<std::size_t>(put);
    }
  }
  if (status_.ok() && tools::interrupted()) status_ = Status::cancelled("interrupted");
  return status_.ok();
}

void Temporary::failed(int error) {
  status_ = Status::io_error(
      fmt::format("a temporary file in {} (TMPDIR chooses): {}", folder_, std::strerror(error)));
}

}  // namespace vicinal::matrix
