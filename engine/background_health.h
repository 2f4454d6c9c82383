// BackgroundHealth: what the store's own thread could not do for an index, lately.
//
// What: keeps the last failure, tells the first of a row and then ever fewer of them, and says when
// writers must be told: a checkpoint that keeps failing lets the journal, and the next opening, grow
// without end.
// Ownership: a part of an index.
// Threads: any. Writers pay one load while all is well.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "engine/base/mutex.h"
#include "vicinal/event.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

/// What the store's thread has to do for an index after it has looked; the greatest of all counts.
enum class Due : std::uint8_t {
  kNothing,
  kAgain,  ///< something failed: later
  kMore,
};

class BackgroundHealth {
 public:
  BackgroundHealth(std::string index, EventCallback on_event);

  /// kCheckpointFailed or kRepairFailed.
  void failed(EventKind what, const Status& why) noexcept;
  /// What failed so is well again.
  void succeeded(EventKind what) noexcept;

  bool well() const noexcept { return !failing_.load(std::memory_order_relaxed); }
  /// Why a write is refused: a checkpoint keeps failing, and `waiting` bytes wait for it, several
  /// times the `due` after which one is made. OK while that is not so.
  Status refusal(std::uint64_t waiting, std::uint64_t due) const;
  /// The fields about the background.
  void fill(Stats& stats) const;

 private:
  const std::string index_;
  const EventCallback on_event_;
  std::atomic<bool> failing_{false};
  mutable internal::Mutex mutex_;
  EventKind what_ VICINAL_GUARDED_BY(mutex_) = EventKind::kCheckpointFailed;
  Status why_ VICINAL_GUARDED_BY(mutex_);
  std::uint64_t in_a_row_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point at_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace vicinal::engine
