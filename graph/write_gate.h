// WriteGate: lets changes of a graph in until somebody wants it to stand still.
//
// What: whoever changes links, shows, hides, takes or frees nodes is inside for one small change: one
// node linked, one list of a batch's round, one step. Who closes waits for those who are inside; others
// wait at the gate, where they hold no mutex that a change takes. What lies between (searches for links,
// commits, a rebuild's fresh topology) goes on.
// Ownership: a part of GraphState.
// Threads: any.
//
// Invariants:
//   G16 Nobody inside waits for more than a mutex, and nobody waits at the gate while he holds one that
//       is taken inside: hence no deadlock, and closing takes as long as one change. Callbacks are called
//       outside.
//   G17 While it is closed no list and no entry point is replaced, no block or topology goes, no node is
//       shown, hidden, taken, condemned or freed: CopyView's still graph.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/put_off.h"
#include "engine/base/stays.h"

namespace vicinal::graph {

class WriteGate {
 public:
  /// One change. Not inside another.
  class Inside {
   public:
    explicit Inside(WriteGate& gate) : gate_(gate) { gate_.enter(); }
    ~Inside() { gate_.leave(); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    WriteGate& gate_;
  };

  WriteGate() = default;
  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  /// Returns who has closed it, when nobody is inside. Several may close it: it is open again when all have
  /// opened it. Throws std::bad_alloc.
  internal::ThreadNumber close() {
    const internal::ThreadNumber closer = internal::Stays::calling_thread();
    const internal::MutexLock lock(mutex_);
    if (closing_ == nullptr) closing_ = std::make_unique<Closing>();
    closing_->threads.push_back(closer);
    closed_.fetch_add(1);
    while (inside_.load() != 0) changed_.wait(mutex_);
    return closer;
  }
  /// Undoes the close() that returned `closer`. action(what) for what was put off until it is open.
  template <typename Action>
  void open(internal::ThreadNumber closer, const Action& action) noexcept {
    internal::PutOffs put_off;
    {
      const internal::MutexLock lock(mutex_);
      std::vector<internal::ThreadNumber>& threads = closing_->threads;
      threads.erase(std::find(threads.begin(), threads.end(), closer));
      if (closed_.fetch_sub(1) == 1) {
        closing_->put_off.take([&](internal::PutOff& what) { put_off.put(what); });
        changed_.notify_all();
      }
    }
    put_off.take(action);
  }
  /// In a child, at the fork: nobody is inside, and whoever closed it, it is closed once, by this thread,
  /// until open_inherited(). False: it was open.
  bool begin_anew() noexcept VICINAL_NO_THREAD_SAFETY_ANALYSIS {
    if (closed_.load() == 0) return false;
    mutex_.begin_anew();
    inside_.store(0);
    closed_.store(1);
    closing_->threads.resize(1);
    closing_->threads.front() = closing_->inherited_by = internal::Stays::calling_thread();
    return true;
  }
  /// In place of open(), in a child: of those who closed it in the parent the first opens it.
  template <typename Action>
  void open_inherited(const Action& action) noexcept {
    internal::ThreadNumber closer = 0;
    {
      const internal::MutexLock lock(mutex_);
      closer = std::exchange(closing_->inherited_by, 0);
    }
    if (closer != 0) open(closer, action);
  }
  /// When the calling thread has closed it: puts `what` off until it is open again. Else false.
  bool put_off(internal::PutOff& what) noexcept {
    if (closed_.load() == 0) return false;
    const internal::MutexLock lock(mutex_);
    if (!closed_by(internal::Stays::calling_thread())) return false;
    closing_->put_off.put(what);
    return true;
  }
  /// Whether the calling thread has closed it: to come in would be to wait for itself.
  bool closed_by_this_thread() const {
    if (closed_.load() == 0) return false;
    const internal::MutexLock lock(mutex_);
    return closed_by(internal::Stays::calling_thread());
  }

 private:
  bool closed_by(internal::ThreadNumber thread) const VICINAL_REQUIRES(mutex_) {
    if (closing_ == nullptr) return false;
    const std::vector<internal::ThreadNumber>& threads = closing_->threads;
    return std::find(threads.begin(), threads.end(), thread) != threads.end();
  }
  void enter() {
    for (;;) {
      // Counted before asking, so that close() either sees the visit or the visit sees it closed.
      inside_.fetch_add(1);
      if (closed_.load() == 0) return;
      leave();
      const internal::MutexLock lock(mutex_);
      while (closed_.load() != 0) changed_.wait(mutex_);
    }
  }
  void leave() {
    if (inside_.fetch_sub(1) == 1 && closed_.load() != 0) {
      const internal::MutexLock lock(mutex_);
      changed_.notify_all();
    }
  }

  // Around what every change writes to: what is hardly ever looked at.
  mutable internal::Mutex mutex_;
  internal::CondVar changed_;  ///< all have left, or it is open again
  std::atomic<std::uint64_t> inside_{0};
  std::atomic<std::uint64_t> closed_{0};  ///< how often
  struct Closing {
    std::vector<internal::ThreadNumber> threads;
    internal::PutOffs put_off;                ///< until it is open
    internal::ThreadNumber inherited_by = 0;  ///< who forked while it was closed; 0: nobody
  };
  /// Made by the first who closes it, which hardly any graph ever meets.
  std::unique_ptr<Closing> closing_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace vicinal::graph
