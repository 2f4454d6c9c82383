#include "graph/scratch.h"

#include <new>

#include "graph/thread_slot.h"

namespace vicinal::graph {

ScratchPool::~ScratchPool() {
  for (Scratch* s : all_) {
    s->~Scratch();
    internal::hook_deallocate(s, sizeof(Scratch), alignof(Scratch));
  }
}

Scratch* ScratchPool::borrow() {
  const std::uint32_t start = thread_slot(kSlots);
  Scratch* scratch = nullptr;
  for (std::uint32_t i = 0; i < kSlots && scratch == nullptr; ++i) {
    Slot& slot = slots_[(start + i) % kSlots];
    if (slot.scratch.load(std::memory_order_relaxed) == nullptr) continue;
    scratch = slot.scratch.exchange(nullptr, std::memory_order_acquire);
  }
  if (scratch == nullptr) {
    const internal::MutexLock lock(mutex_);
    if (!overflow_.empty()) {
      scratch = overflow_.back();
      overflow_.pop_back();
    } else {
      all_.reserve(all_.size() + 1);
      overflow_.reserve(all_.size() + 1);  // so that give_back cannot fail
      scratch = new (internal::hook_allocate(sizeof(Scratch), alignof(Scratch))) Scratch;
      all_.push_back(scratch);
      scratch->participant = epochs_.add_participant();
      scratch->linker = linkers_.add_participant();
    }
  }
  scratch->home = start;
  scratch->distances_computed = 0;
  scratch->nodes_expanded = 0;
  epochs_.enter(*scratch->participant);
  return scratch;
}

std::uint64_t Scratch::bytes_held() const {
  const auto of = [](const auto& v) { return v.capacity() * sizeof(v[0]); };
  return sizeof(Scratch) + visited.bytes() + pool.bytes() + others.bytes() + of(query) +
         of(rotated) + of(query_codes) + of(side_codes) + of(side_query) + of(ids) + of(distances) +
         of(results) + of(rows) + of(copies) + of(nodes) + of(backlog);
}

void ScratchPool::give_back(Scratch* scratch) noexcept {
  scratch->bytes.store(scratch->bytes_held(), std::memory_order_relaxed);
  EpochDomain::leave(*scratch->participant);
  for (std::uint32_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots_[(scratch->home + i) % kSlots];
    Scratch* expected = nullptr;
    if (slot.scratch.load(std::memory_order_relaxed) == nullptr &&
        slot.scratch.compare_exchange_strong(expected, scratch, std::memory_order_release,
                                             std::memory_order_relaxed)) {
      return;
    }
  }
  const internal::MutexLock lock(mutex_);
  overflow_.push_back(scratch);
}

std::uint64_t ScratchPool::bytes() const {
  const internal::MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const Scratch* scratch : all_) bytes += scratch->bytes.load(std::memory_order_relaxed);
  return bytes;
}

}  // namespace vicinal::graph
