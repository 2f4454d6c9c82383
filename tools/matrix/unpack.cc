#include "tools/matrix/unpack.h"

#include <fmt/core.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "tools/matrix/temporary.h"

namespace vicinal::matrix {
namespace {

constexpr std::size_t kPiece = 1u << 18;

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
