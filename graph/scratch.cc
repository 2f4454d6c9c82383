#include "graph/scratch.h"

#include <new>

#include "engine/base/process.h"
#include "graph/thread_slot.h"

namespace vicinal::graph {

ScratchShelf::~ScratchShelf() {
  for (Scratch* s : all_) {
    s->~Scratch();
    internal::hook_deallocate(s, sizeof(Scratch), alignof(Scratch));
  }
}

Scratch* ScratchShelf::take() {
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
      overflow_.reserve(all_.size() + 1);  // so that put() cannot fail
      scratch = new (internal::hook_allocate(sizeof(Scratch), alignof(Scratch))) Scratch;
      all_.push_back(scratch);
      scratch->shelf = this;
    }
  }
  scratch->home = start;
  scratch->distances_computed = 0;
  scratch->nodes_expanded = 0;
  return scratch;
}

void ScratchShelf::put(Scratch* scratch) noexcept {
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

std::uint64_t ScratchShelf::bytes() const {
  const internal::MutexLock lock(mutex_);
  std::uint64_t bytes = sizeof(*this);
  for (const Scratch* scratch : all_) bytes += scratch->bytes.load(std::memory_order_relaxed);
  return bytes;
}

void ScratchPool::begin_linking(EpochDomain& linkers) {
  if (own_.load(std::memory_order_relaxed) != nullptr) return;
  own_.store(new Own(linkers), std::memory_order_release);
}

Scratch* ScratchPool::borrow() {
  Own* const own = own_.load(std::memory_order_acquire);
  ScratchShelf& shelf = own != nullptr ? own->shelf : internal::of_process<ScratchShelf>();
  Scratch* const scratch = shelf.take();
  try {
    if (own == nullptr) {
      scratch->participant = epochs_.enter_anybodys();
      return scratch;
    }
    if (scratch->participant == nullptr) scratch->participant = epochs_.add_participant();
    if (scratch->linker == nullptr) scratch->linker = own->linkers.add_participant();
  } catch (...) {
    scratch->shelf->put(scratch);
    throw;
  }
  epochs_.enter(*scratch->participant);
  return scratch;
}

void ScratchPool::give_back(Scratch* scratch) noexcept {
  scratch->bytes.store(scratch->bytes_held(), std::memory_order_relaxed);
  EpochDomain::leave(*scratch->participant);
  scratch->shelf->put(scratch);
}

std::uint64_t ScratchPool::bytes() const {
  const Own* const own = own_.load(std::memory_order_acquire);
  return own == nullptr ? 0 : own->shelf.bytes();
}

std::uint64_t Scratch::bytes_held() const {
  const auto of = [](const auto& v) { return v.capacity() * sizeof(v[0]); };
  return sizeof(Scratch) + visited.bytes() + pool.bytes() + others.bytes() + of(query) +
         of(rotated) + of(decoded) + of(query_codes) + of(sketch_query) + of(walk_codes) +
         of(side_codes) + of(side_query) + of(ids) + of(distances) + of(results) + of(met) +
         of(rows) + of(copies) + of(nodes) + of(backlog);
}

}  // namespace vicinal::graph
