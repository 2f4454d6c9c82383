// LmdbMeta: what a commit replaces of the data file's meta page, to be written back if it fails there.
//
// Why: where the write of the meta page fails LMDB does nothing more, and leaves a page that is half of
// the new transaction and half of the one before: who opened the file later would take it for
// damaged.
// Ownership: the descriptor and the environment are the caller's.
// Threads: the holder of the writer's lock.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "vicinal/status.h"

struct MDB_env;

namespace vicinal::persist {

/// What is said when LMDB does nothing more.
inline constexpr const char* kOpenAgain = "open the store again";

class LmdbMeta {
 public:
  /// Before the commit of `transaction`; the two meta pages take turns.
  LmdbMeta(int fd, std::uint32_t page_size, std::uint64_t transaction);

  /// After a commit that failed: the transaction is not there, now or after a power cut. Ok where LMDB
  /// goes on, for it had not come to the meta page; else why nothing may be written any more.
  Status take_back(MDB_env* env, const std::string& path) const;

 private:
  const int fd_;
  const std::uint64_t transaction_;
  const off_t place_;
  bool known_ = false;
  std::array<std::byte, 136> bytes_;
};

}  // namespace vicinal::persist
