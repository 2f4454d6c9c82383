// Background: the one thread of a store that writes checkpoints and repairs when they are due.
//
// What: sleeps until a write wakes it, then looks at the indexes that were written to
// (IndexCore::maintain) until nothing is due. What fails is told by the index (background_health.h)
// and tried again every second.
// Ownership: an index is shared while it is looked at; who is to be looked at is a list of Watched.
// Threads: wake() and begin() any; stop() once, or end_with() once and then stop() by what it calls.
// Cost: a round looks at who was written to or is still in need, however many are open; waking it
// for an index that it is about to look at costs one load. Neither allocates.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

#include "engine/base/mutex.h"
#include "engine/call_scope.h"
#include "engine/index_core.h"

namespace vicinal::engine {

class Background {
 public:
  /// An index as the thread knows it.
  struct Watched {
    std::atomic<bool> listed{false};  ///< it is, or is about to be, in the list
    // Guarded by the thread's mutex.
    std::weak_ptr<IndexCore> index = {};
    std::shared_ptr<Watched> next = nullptr;  ///< in the list
  };

  /// `look_at_file` begins every round, and says whether it has more to do.
  Background(std::function<bool()> look_at_file, std::uint64_t checkpoint_bytes);
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// `core` was opened: the next round looks at it.
  void begin(const std::shared_ptr<Watched>& watched, const std::shared_ptr<IndexCore>& core);
  /// Something was written to an index.
  void wake(const std::shared_ptr<Watched>& watched);
  /// There is something to do in the file.
  void wake();
  /// Waits for the present step and ends the thread.
  void stop();
  /// On the thread itself, which cannot wait for itself: it ends soon, and the last that it does is
  /// last.finish(), which may destroy this.
  void end_with(PutOff& last);
  bool is_this_thread() const { return thread_.get_id() == std::this_thread::get_id(); }

 private:
  void run();
  /// After run(), unless nothing is left to do.
  PutOff* last();
  /// Of all indexes, the one that is most in need.
  Due step();
  /// The caller holds the mutex; `watched` is marked as listed, and is not.
  void list(const std::shared_ptr<Watched>& watched) VICINAL_REQUIRES(mutex_);

  const std::function<bool()> look_at_file_;
  const std::uint64_t checkpoint_bytes_;
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::atomic<bool> woken_{false};  // set outside the mutex by nobody
  std::shared_ptr<Watched> first_ VICINAL_GUARDED_BY(mutex_);
  bool stopping_ VICINAL_GUARDED_BY(mutex_) = false;
  PutOff* last_ VICINAL_GUARDED_BY(mutex_) = nullptr;  // of end_with()
  std::thread thread_;
};

}  // namespace vicinal::engine
