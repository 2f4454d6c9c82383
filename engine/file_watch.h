// FileWatch: what is told of a store's file as it changes: that it has grown, is nearly full, that readers
// of killed processes were cleared, that the system gives no huge pages.
//
// Ownership: the file outlives it.
// Threads: any.
#pragma once

#include <cstdint>

#include "engine/base/mutex.h"
#include "persist/store_file.h"
#include "vicinal/event.h"

namespace vicinal::engine {

class FileWatch {
 public:
  /// Tells what opening the file has found.
  explicit FileWatch(const persist::StoreFile& file);

  /// Tells what has changed since the last look.
  void look() noexcept;

 private:
  void tell_of(EventKind kind, Severity severity, std::uint64_t value, std::uint64_t limit,
               const char* what) const noexcept;
  void look_at_readers() noexcept;

  const persist::StoreFile& file_;
  internal::Mutex mutex_;
  std::uint64_t map_bytes_ VICINAL_GUARDED_BY(mutex_);
  bool nearly_full_ VICINAL_GUARDED_BY(mutex_) = false;  ///< it was told
  int stale_readers_ VICINAL_GUARDED_BY(mutex_) = 0;     ///< told of
};

}  // namespace vicinal::engine
