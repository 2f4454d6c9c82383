// Epochs: when may a block that was unlinked be reused?
//
// What: every search and mutation enters the domain for its duration. What was unlinked is tagged
// with the epoch of that moment, or a later one, and may be reused once no participant is active
// that entered at or before it.
// Ownership: the domain owns its participants; they live as long as it does.
// Threads: a participant is used by one thread at a time; everything else by any.
//
// Why it is right without fences (a fence would do, but ThreadSanitizer cannot follow it): the
// reader's entry and the reclaimer's look at it are both read-modify-writes of the participant's
// `active`. Either the look comes first, then the entry reads from it and so sees every unlinking
// that preceded it; or the entry comes first, then the look sees it and waits.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/mutex.h"

namespace vicinal::graph {

class EpochDomain {
 public:
  struct Participant {
    std::atomic<std::uint64_t> active{0};  ///< the epoch it entered at; 0 when outside
    Participant* next = nullptr;
    bool anybodys = false;  ///< of enter_anybodys()
  };

  EpochDomain() = default;
  ~EpochDomain();
  EpochDomain(const EpochDomain&) = delete;
  EpochDomain& operator=(const EpochDomain&) = delete;

  /// A new participant, outside.
  Participant* add_participant();

  void enter(Participant& p) const {
    p.active.exchange(epoch_.load(std::memory_order_acquire), std::memory_order_acq_rel);
  }
  /// Enters with one of the participants that are anybody's, adding one where all are inside. For
  /// those who come too seldom to have their own. Throws std::bad_alloc.
  Participant* enter_anybodys();
  static void leave(Participant& p) { p.active.store(0, std::memory_order_release); }

  /// The tag for what was just unlinked.
  std::uint64_t retire_tag();
  /// The same for who must not wait: 0 when somebody else is at it.
  std::uint64_t try_retire_tag();
  /// Begins a new epoch. Everything tagged below the returned value may be reused.
  std::uint64_t advance();
  /// The same for who must not wait: 0, which is above no tag, when somebody else is at it.
  std::uint64_t try_advance();
  /// In a child of fork(), whose only thread is inside nothing: all are outside.
  void begin_anew() noexcept;
  /// Whether each participant was outside when it was looked at.
  bool nobody_inside() const;

 private:
  std::uint64_t advance_locked() VICINAL_REQUIRES(mutex_);
  void add(Participant* p) VICINAL_REQUIRES(mutex_);

  std::atomic<std::uint64_t> epoch_{1};
  /// Of enter_anybodys(), and the last of the list: a small index needs no other. Each of those that
  /// are made later has a cache line.
  Participant first_{.anybodys = true};
  std::atomic<Participant*> head_{&first_};
  /// Orders tags and advances: what was tagged before an advance is seen by it.
  internal::Mutex mutex_;
};

}  // namespace vicinal::graph
