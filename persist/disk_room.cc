#include "persist/disk_room.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "persist/lmdb_status.h"

namespace vicinal::persist {
namespace {

// A write that was cut short may have left room for less than a page, or another process a little.
constexpr std::uint64_t kNextToNothing = 64 << 10;

}  // namespace

Status disk_status(int code, const std::string& what, const std::string& path,
                   std::uint64_t wanted) {
  const bool said = code == ENOSPC || code == EDQUOT || code == EFBIG;
  if (!said && code != EIO) return lmdb_status(code, what.c_str());
  struct statvfs disk {};
  const bool known = ::statvfs(path.c_str(), &disk) == 0;
  const std::uint64_t free = known ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
  const bool full = known && free < std::max(wanted, kNextToNothing);
  if (!said && !full) return lmdb_status(code, what.c_str());
  return Status::full(fmt::format("{}: {}: at least {} bytes wanted, {} free: {}", what, path,
                                  wanted, free, std::strerror(full && !said ? ENOSPC : code)));
}

}  // namespace vicinal::persist
