// ValueReader: large values of the map, read from its file.
//
// What: a large value lies in the map as it lies in the file, so a plain read gets it from the same
// page cache without a fault and an address translation for every page of it, and a disk that fails
// is an error instead of a signal.
// Ownership: the environment outlives it, and the snapshot that the values are of does too.
// Threads: learn() first and alone, then read() from any.
#pragma once

#include "persist/format.h"
#include "persist/lmdb_env.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class ValueReader {
 public:
  explicit ValueReader(const Environment& environment);

  /// Learns from a value where the map begins: LMDB does not tell. Until it has met a value that
  /// fills pages of its own, read() returns false.
  void learn(Bytes value);
  bool knows() const { return map_ != nullptr; }
  std::uint64_t page_size() const { return page_size_; }

  /// Copies `value` into `out`, which has room for it. False: not to be had this way, the map has
  /// it.
  /// Errors: kIoError; kCorruption when the file ends before the value does.
  Result<bool> read(Bytes value, std::byte* out) const;

 private:
  int fd_;
  std::uint64_t page_size_;
  const std::byte* map_ = nullptr;
};

}  // namespace vicinal::persist
