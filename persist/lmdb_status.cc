#include "persist/lmdb_status.h"

#include <fmt/format.h>
#include <lmdb.h>

#include <cerrno>

namespace vicinal::persist {

Status lmdb_status(int code, const char* what) {
  if (code == MDB_SUCCESS) return {};
  std::string text = fmt::format("{}: {}", what, mdb_strerror(code));
  switch (code) {
    case MDB_NOTFOUND:
      return Status::not_found(std::move(text));
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case MDB_DBS_FULL:
    case ENOSPC:
    case EDQUOT:
      return Status::full(std::move(text));
    case MDB_READERS_FULL:
    case EBUSY:
    case EAGAIN:
      return Status::busy(std::move(text));
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_INCOMPATIBLE:
      return Status::corruption(std::move(text));
    case MDB_VERSION_MISMATCH:
      return Status::format_version(std::move(text));
    default:
      return Status::io_error(std::move(text));
  }
}

}  // namespace vicinal::persist
