#include "persist/lmdb_meta.h"

#include <fmt/format.h>
#include <lmdb.h>
#include <unistd.h>

#include "persist/descriptor.h"
#include "persist/format.h"

namespace vicinal::persist {

LmdbMeta::LmdbMeta(int fd, std::uint32_t page_size, std::uint64_t transaction)
    : fd_(fd),
      transaction_(transaction),
      place_(static_cast<off_t>((transaction & 1) * page_size + kLmdbPageHeader)) {
  known_ =
      read_at(fd_, bytes_.data(), bytes_.size(), place_) == static_cast<ssize_t>(bytes_.size());
}

Status LmdbMeta::take_back(MDB_env* env, const std::string& path) const {
  MDB_txn* txn = nullptr;
  const int rc = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (rc == MDB_SUCCESS) mdb_txn_abort(txn);
  if (rc != MDB_PANIC) return {};
  const auto bytes = static_cast<ssize_t>(bytes_.size());
  const bool written = known_ && ::pwrite(fd_, bytes_.data(), bytes_.size(), place_) == bytes;
  const bool taken_back = written && ::fdatasync(fd_) == 0;
  return Status::io_error(
      fmt::format("{}: the last write of transaction {} failed{}: {}", path, transaction_,
                  taken_back ? "" : ", and may be on the disk all the same", kOpenAgain));
}

}  // namespace vicinal::persist
