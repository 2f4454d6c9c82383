#include "graph/epoch.h"

#include <algorithm>

#include "engine/base/allocator.h"
#include "engine/base/step_hook.h"

namespace vicinal::graph {
namespace {

struct alignas(64) OnALine {
  EpochDomain::Participant participant;
};

EpochDomain::Participant* make_participant() {
  return &(new (internal::hook_allocate(sizeof(OnALine), alignof(OnALine))) OnALine)->participant;
}

}  // namespace

EpochDomain::~EpochDomain() {
  for (Participant* p = head_.load(); p != &first_;) {
    Participant* next = p->next;
    p->~Participant();
    internal::hook_deallocate(p, sizeof(OnALine), alignof(OnALine));
    p = next;
  }
}

EpochDomain::Participant* EpochDomain::add_participant() {
  Participant* const p = make_participant();
  const internal::MutexLock lock(mutex_);
  add(p);
  return p;
}

EpochDomain::Participant* EpochDomain::enter_anybodys() {
  for (Participant* p = head_.load(std::memory_order_acquire); p != nullptr; p = p->next) {
    if (!p->anybodys || p->active.load(std::memory_order_relaxed) != 0) continue;
    std::uint64_t outside = 0;
    // A read-modify-write, as every entry.
    if (p->active.compare_exchange_strong(outside, epoch_.load(std::memory_order_acquire),
                                          std::memory_order_acq_rel)) {
      return p;
    }
  }
  Participant* const p = make_participant();
  p->anybodys = true;
  const internal::MutexLock lock(mutex_);
  p->active.store(epoch_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  add(p);
  return p;
}

// Under the mutex of advance(): either that sees this participant, or this participant sees all
// that was unlinked before.
void EpochDomain::add(Participant* p) {
  p->next = head_.load(std::memory_order_relaxed);
  head_.store(p, std::memory_order_release);
}

std::uint64_t EpochDomain::retire_tag() {
  const internal::MutexLock lock(mutex_);
  return epoch_.load(std::memory_order_relaxed);
}

std::uint64_t EpochDomain::try_retire_tag() {
  if (!mutex_.try_lock()) return 0;
  const internal::MutexLock lock(mutex_, std::adopt_lock);
  return epoch_.load(std::memory_order_relaxed);
}

std::uint64_t EpochDomain::advance() {
  const internal::MutexLock lock(mutex_);
  return advance_locked();
}

std::uint64_t EpochDomain::try_advance() {
  if (!mutex_.try_lock()) return 0;
  const internal::MutexLock lock(mutex_, std::adopt_lock);
  return advance_locked();
}

void EpochDomain::begin_anew() noexcept {
  mutex_.begin_anew();
  for (Participant* p = head_.load(); p != nullptr; p = p->next) p->active.store(0);
}

bool EpochDomain::nobody_inside() const {
  for (Participant* p = head_.load(std::memory_order_acquire); p != nullptr; p = p->next) {
    if (p->active.fetch_add(0, std::memory_order_acq_rel) != 0) return false;
  }
  return true;
}

std::uint64_t EpochDomain::advance_locked() {
  std::uint64_t oldest = epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
  VICINAL_STEP_POINT("epoch.begun");
  for (Participant* p = head_.load(std::memory_order_acquire); p != nullptr; p = p->next) {
    const std::uint64_t active = p->active.fetch_add(0, std::memory_order_acq_rel);
    if (active != 0) oldest = std::min(oldest, active);
    VICINAL_STEP_POINT("epoch.looked");
  }
  return oldest;
}

}  // namespace vicinal::graph
