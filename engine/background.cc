#include "engine/background.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/base/signals.h"

namespace vicinal::engine {
namespace {

// Between looks at what is due: writes come by the thousand, one look a while is enough.
constexpr std::chrono::milliseconds kRest{50};
// Between slices of repair: leaves the locks and the commits to writers.
constexpr std::chrono::milliseconds kPause{2};
// After a failure: a full disk is not free again at once.
constexpr std::chrono::milliseconds kRetry{1000};

}  // namespace

Background::Background(std::function<bool()> look_at_file, std::uint64_t checkpoint_bytes)
    : look_at_file_(std::move(look_at_file)),
      checkpoint_bytes_(checkpoint_bytes),
      thread_(internal::thread_without_signals([this] {
        run();
        if (PutOff* const what = last(); what != nullptr) what->finish();
      })) {}

void Background::list(const std::shared_ptr<Watched>& watched) {
  watched->next = std::move(first_);
  first_ = watched;
}

void Background::begin(const std::shared_ptr<Watched>& watched,
                       const std::shared_ptr<IndexCore>& core) {
  const internal::MutexLock lock(mutex_);
  watched->index = core;
  if (!watched->listed.exchange(true)) list(watched);
}

void Background::wake(const std::shared_ptr<Watched>& watched) {
  // A round that begins after woken_ was read takes the list, and unlists before it looks.
  if (watched->listed.load() && woken_.load()) return;
  {
    const internal::MutexLock lock(mutex_);
    if (!watched->listed.exchange(true)) list(watched);
    woken_ = true;
  }
  changed_.notify_one();
}

void Background::wake() {
  {
    const internal::MutexLock lock(mutex_);
    woken_ = true;
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
  const internal::MutexLock lock(mutex_);  // writers that are still inside may wake it
  while (first_ != nullptr) first_ = std::exchange(first_->next, nullptr);  // each owns the next
}

void Background::end_with(PutOff& last) {
  const internal::MutexLock lock(mutex_);
  thread_.detach();  // nobody is left to join it
  stopping_ = true;
  last_ = &last;
}

PutOff* Background::last() {
  const internal::MutexLock lock(mutex_);
  return last_;
}

void Background::run() {
  const internal::MutexLock lock(mutex_);
  while (true) {
    while (!stopping_ && !woken_.load()) changed_.wait(mutex_);
    if (stopping_) return;
    woken_ = false;
    for (Due due = Due::kMore; due != Due::kNothing && !stopping_;) {
      {
        const internal::MutexUnlock unlocked(mutex_);
        const CallScope scope;  // of the callbacks that it makes
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
  Due due = look_at_file_() ? Due::kMore : Due::kNothing;
  std::shared_ptr<Watched> rest;
  {
    const internal::MutexLock lock(mutex_);
    rest = std::move(first_);
  }
  while (rest != nullptr) {
    const std::shared_ptr<Watched> watched = std::move(rest);
    std::shared_ptr<IndexCore> index;
    {
      const internal::MutexLock lock(mutex_);
      rest = std::move(watched->next);
      index = watched->index.lock();
    }
    watched->listed.store(false);
    if (index == nullptr) continue;
    const Due its = index->maintain(checkpoint_bytes_);
    due = std::max(due, its);
    if (its == Due::kNothing) continue;
    const internal::MutexLock lock(mutex_);
    if (!watched->listed.exchange(true)) list(watched);
  }
  return due;
}

}  // namespace vicinal::engine
