#include "engine/background.h"

#include <algorithm>
#include <chrono>
#include <new>

namespace vicinal::engine {
namespace {

// Between looks at what is due: writes come by the thousand, one look a while is enough.
constexpr std::chrono::milliseconds kRest{50};
// Between slices of repair: leaves the locks and the commits to writers.
constexpr std::chrono::milliseconds kPause{2};
// After a failure: a full disk is not free again at once.
constexpr std::chrono::milliseconds kRetry{1000};

}  // namespace

Background::Background(OpenIndexes open_indexes, std::uint64_t checkpoint_bytes)
    : open_indexes_(std::move(open_indexes)),
      checkpoint_bytes_(checkpoint_bytes),
      thread_([this] { run(); }) {}

void Background::wake() {
  if (woken_.load(std::memory_order_relaxed)) return;
  {
    const internal::MutexLock lock(mutex_);
    woken_.store(true);
  }
  changed_.notify_one();
}

void Background::stop() {
  {
    const internal::MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Background::run() {
  const internal::MutexLock lock(mutex_);
  while (true) {
    while (!stopping_ && !woken_.load()) changed_.wait(mutex_);
    if (stopping_) return;
    woken_.store(false);
    for (Due due = Due::kMore; due != Due::kNothing && !stopping_;) {
      {
        const internal::MutexUnlock unlocked(mutex_);
        due = step();
      }
      const auto rest = due == Due::kMore ? kPause : due == Due::kAgain ? kRetry : kRest;
      const auto end = std::chrono::steady_clock::now() + rest;
      while (!stopping_ && changed_.wait_until(mutex_, end)) {
      }
    }
  }
}

Due Background::step() {
  Due due = Due::kNothing;
  try {
    for (const std::shared_ptr<IndexCore>& index : open_indexes_()) {
      due = std::max(due, index->maintain(checkpoint_bytes_));
    }
  } catch (const std::bad_alloc&) {
    return Due::kAgain;  // for the list of them
  }
  return due;
}

}  // namespace vicinal::engine
