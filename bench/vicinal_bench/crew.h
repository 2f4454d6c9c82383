// Crew: threads that each answer a Status.
//
// Ownership: the threads; join() before what their work refers to goes.
// Threads: one's own.
#pragma once

#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "vicinal/status.h"

namespace vicinal::bench {

class Crew {
 public:
  template <typename Work>
  void start(Work work) {
    const std::size_t slot = outcomes_.size();
    outcomes_.emplace_back();
    threads_.emplace_back([this, slot, work = std::move(work)] { outcomes_[slot] = work(); });
  }
  /// Waits for all; the first Status that is not ok, by order of start.
  Status join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    for (const Status& outcome : outcomes_) {
      if (!outcome.ok()) return outcome;
    }
    return {};
  }

 private:
  std::vector<std::thread> threads_;
  std::deque<Status> outcomes_;  // references stay valid while it grows
};

}  // namespace vicinal::bench
