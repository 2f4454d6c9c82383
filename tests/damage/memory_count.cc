#include "tests/damage/memory_count.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "vicinal/memory.h"

namespace {

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> most{0};
std::atomic<std::size_t> at_begin{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  void* memory = nullptr;
  if (::posix_memalign(&memory, std::max(alignment, sizeof(void*)),
                       std::max<std::size_t>(bytes, 1)) != 0) {
    return nullptr;
  }
  const std::size_t now = held += ::malloc_usable_size(memory);
  std::size_t known = most.load();
  while (now > known && !most.compare_exchange_weak(known, now)) {
  }
  return memory;
}

void* counted_or_throw(std::size_t bytes, std::size_t alignment) {
  void* const memory = counted(bytes, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void uncount(void* memory) {
  if (memory == nullptr) return;
  held -= ::malloc_usable_size(memory);
  std::free(memory);
}

constexpr std::size_t kUsual = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t bytes) { return counted_or_throw(bytes, kUsual); }
void* operator new[](std::size_t bytes) { return counted_or_throw(bytes, kUsual); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes, kUsual);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes, kUsual);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return counted_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment,
                     const std::nothrow_t&) noexcept {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { uncount(memory); }
void operator delete[](void* memory) noexcept { uncount(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncount(memory); }
void operator delete[](void* memory, std::size_t) noexcept { uncount(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { uncount(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { uncount(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { uncount(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { uncount(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { uncount(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { uncount(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  uncount(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  uncount(memory);
}

namespace vicinal::testing {

void count_engine_memory() {
  // The default once more: it may be another's already.
  set_allocator({[](std::size_t size, std::size_t alignment) { return counted(size, alignment); },
                 [](void* memory, std::size_t, std::size_t) { uncount(memory); }});
}

void begin_memory_count() {
  at_begin = held.load();
  most = held.load();
}

std::size_t most_memory() { return most - at_begin; }

}  // namespace vicinal::testing
