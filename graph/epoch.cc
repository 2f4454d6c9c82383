#include "graph/epoch.h"

#include <algorithm>

#include "engine/base/allocator.h"

namespace vicinal::graph {

EpochDomain::~EpochDomain() {
  for (Participant* p = head_.load(); p != nullptr;) {
    Participant* next = p->next;
    p->~Participant();
    internal::hook_deallocate(p, sizeof(Participant), alignof(Participant));
    p = next;
  }
}

EpochDomain::Participant* EpochDomain::add_participant() {
  auto* p = new (internal::hook_allocate(sizeof(Participant), alignof(Participant))) Participant;
  // Under the mutex of advance(): either that sees this participant, or this participant sees all
  // that was unlinked before.
  const internal::MutexLock lock(mutex_);
  p->next = head_.load(std::memory_order_relaxed);
  head_.store(p, std::memory_order_release);
  return p;
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

bool EpochDomain::nobody_inside() const {
  for (Participant* p = head_.load(std::memory_order_acquire); p != nullptr; p = p->next) {
    if (p->active.fetch_add(0, std::memory_order_acq_rel) != 0) return false;
  }
  return true;
}

std::uint64_t EpochDomain::advance_locked() {
  std::uint64_t oldest = epoch_.fetch_add(1, std::memory_order_acq_rel) + 1;
  for (Participant* p = head_.load(std::memory_order_acquire); p != nullptr; p = p->next) {
    const std::uint64_t active = p->active.fetch_add(0, std::memory_order_acq_rel);
    if (active != 0) oldest = std::min(oldest, active);
  }
  return oldest;
}

}  // namespace vicinal::graph
