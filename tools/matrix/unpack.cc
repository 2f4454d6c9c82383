#include "tools/matrix/unpack.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "tools/interrupt.h"

namespace vicinal::matrix {
namespace {

constexpr std::size_t kPiece = 1u << 18;

/// A file that goes with its descriptor.
class Temporary {
 public:
  Temporary() {
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
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  const Status& status() const { return status_; }
  int release() { return std::exchange(descriptor_, -1); }

  bool write(const char* from, std::size_t bytes) {
    while (bytes > 0 && status_.ok()) {
      const ssize_t put = ::write(descriptor_, from, bytes);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        failed(errno);
      } else {
        from += put;
        bytes -= static_cast<std::size_t>(put);
      }
    }
    if (status_.ok() && tools::interrupted()) status_ = Status::cancelled("interrupted");
    return status_.ok();
  }

 private:
  void failed(int error) {
    status_ = Status::io_error(
        fmt::format("a temporary file in {} (TMPDIR chooses): {}", folder_, std::strerror(error)));
  }

  std::string folder_;
  int descriptor_ = -1;
  Status status_;
};

}  // namespace

Result<int> spool(int descriptor, const std::string& name) {
  Temporary out;
  if (!out.status().ok()) return out.status();
  std::vector<char> piece(kPiece);
  for (;;) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::io_error(fmt::format("{}: {}", name, std::strerror(errno)));
    if (got == 0) return out.release();
    if (!out.write(piece.data(), static_cast<std::size_t>(got))) return out.status();
  }
}

Result<int> gunzip(int descriptor, const std::string& name) {
  Temporary out;
  if (!out.status().ok()) return out.status();
  const auto broken = [&](const char* why) {
    return Status::invalid_argument(fmt::format("{}: gzip: {}", name, why));
  };
  const int own = ::dup(descriptor);
  if (own < 0 || ::lseek(own, 0, SEEK_SET) < 0) {
    const int error = errno;
    if (own >= 0) ::close(own);
    return Status::io_error(fmt::format("{}: {}", name, std::strerror(error)));
  }
  gzFile in = gzdopen(own, "rb");
  if (in == nullptr) {
    ::close(own);
    return Status::io_error(fmt::format("{}: no memory to unpack it", name));
  }
  std::vector<char> piece(kPiece);
  Status status;
  std::uint64_t unpacked = 0;
  while (status.ok()) {
    const int got = gzread(in, piece.data(), static_cast<unsigned>(piece.size()));
    int code = Z_OK;
    if (got < 0) status = broken(gzerror(in, &code));
    if (got <= 0) break;
    unpacked += static_cast<std::uint64_t>(got);
    if (gzdirect(in) != 0) {
      status = broken("it is not packed");
    } else if (!out.write(piece.data(), static_cast<std::size_t>(got))) {
      status = out.status();
    }
  }
  const int closed = gzclose_r(in);
  if (!status.ok()) return status;
  if (closed == Z_BUF_ERROR) {
    return broken(
        fmt::format("the file is cut, {} bytes were unpacked before its end", unpacked).c_str());
  }
  if (closed != Z_OK) return broken("damaged");
  return out.release();
}

bool looks_packed(int descriptor) {
  unsigned char start[3] = {};
  return ::pread(descriptor, start, sizeof start, 0) == sizeof start && start[0] == 0x1F &&
         start[1] == 0x8B && start[2] == 8;
}

}  // namespace vicinal::matrix
