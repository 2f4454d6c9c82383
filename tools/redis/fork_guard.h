// ForkGuard: a fork() sees every set at one moment.
//
// What: the server forks to save, on the main thread, which is where sets are written. What may be writing
// beside it is maintenance in threads of the pool: such an index is paused (Index::pause_writes()) from
// before the fork until after it in the parent, and in the child for ever, where saving uses the pause.
// Searches need not stop: they change nothing that is saved, and saving takes no lock of theirs.
// Ownership: of the process; install() once.
// Threads: any.
#pragma once

#include <memory>

#include "tools/redis/vector_set.h"

namespace vicinal::redis {

/// While it lives its set's index may be written in this thread; one at a time for each set.
class BackgroundWrites {
 public:
  /// Waits while the process forks, and with `wait` while another writes this set: without, that is false
  /// then. Throws std::bad_alloc.
  BackgroundWrites(std::shared_ptr<VectorSet> set, bool wait);
  ~BackgroundWrites();
  explicit operator bool() const { return begun_; }
  BackgroundWrites(const BackgroundWrites&) = delete;
  BackgroundWrites& operator=(const BackgroundWrites&) = delete;

 private:
  const std::shared_ptr<VectorSet> set_;
  bool begun_ = false;
};

/// The handlers of pthread_atfork(). False: there is no memory for them.
bool install_fork_guard() noexcept;

/// Saves as the index stands, in the process or in a child of its fork().
/// Errors: as Index::save(); kBusy  it could not be paused before the fork.
Status save_still(const VectorSet& set, const ByteSink& sink);

}  // namespace vicinal::redis
