// Background: the one thread of a store that writes checkpoints and repairs when they are due.
//
// What: sleeps until a write wakes it, then looks at every open index (IndexCore::maintain) until
// nothing is due. What fails is told by the index (background_health.h) and tried again every
// second.
// Threads: wake() any; stop() once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/index_core.h"

namespace vicinal::engine {

class Background {
 public:
  using OpenIndexes = std::function<std::vector<std::shared_ptr<IndexCore>>()>;

  Background(OpenIndexes open_indexes, std::uint64_t checkpoint_bytes);
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// Something was written. Costs one load when the thread is awake.
  void wake();
  /// Waits for the present step and ends the thread.
  void stop();

 private:
  void run();
  /// Of all indexes, the one that is most in need.
  Due step();

  const OpenIndexes open_indexes_;
  const std::uint64_t checkpoint_bytes_;
  internal::Mutex mutex_;
  internal::CondVar changed_;
  std::atomic<bool> woken_{false};  // set outside the mutex only from false to true
  bool stopping_ VICINAL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace vicinal::engine
