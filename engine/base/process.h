// What belongs to one process: first_made() and of_process(), and OwnProcess: whether this is still the
// process that made the object, or a child forked since.
//
// What: threads, locks on files and LMDB's readers do not pass over fork(). Who owns such things
// asks before it uses or ends them. A counter is raised in the child: asking costs one load.
// Threads: any.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace vicinal::internal {

/// What stands in `place`; at the first call what `make` returns, a std::unique_ptr<T>. Never ended: what
/// uses it may end after statics do, as an index may. Without a lock, where a local static has one: a
/// child of fork() would wait for ever for a thread that was making it and stayed behind. Threads that
/// come first together make one each, and the first of these stays.
template <typename T, typename Make>
T& first_made(std::atomic<T*>& place, const Make& make) {
  T* present = place.load(std::memory_order_acquire);
  if (present == nullptr) {
    std::unique_ptr<T> made = make();
    if (place.compare_exchange_strong(present, made.get())) present = made.release();
  }
  return *present;
}

/// The one T of this process. A child of fork() has a new one: threads that had the old one locked,
/// or held something in it, stayed behind. Never ended, as first_made().
template <typename T>
T& of_process() {
  static constinit std::atomic<T*> present{nullptr};
  return first_made(present, [] {
    // Before anyone has it. Two that came first register twice: the child has the last.
    static_cast<void>(::pthread_atfork(nullptr, nullptr, [] { present.store(new T); }));
    return std::make_unique<T>();
  });
}

class OwnProcess {
 public:
  OwnProcess();
  /// True in a child that was forked since.
  bool left() const noexcept;

 private:
  std::uint64_t forks_;
};

/// In a child: threads of the parent, `threads` (a std::thread, or several), are not here. To join, detach
/// or end them could hit one of the child's own, to which the system gave the same number.
template <typename Threads>
void leave_behind(Threads& threads) noexcept {
  alignas(
      Threads) static thread_local std::byte room[sizeof(Threads)];  // for who has no memory left
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): it is to be nobody's.
  auto* left = new (std::nothrow) Threads(std::move(threads));
  if (left == nullptr) left = ::new (room) Threads(std::move(threads));
  static_cast<void>(left);
}

}  // namespace vicinal::internal
