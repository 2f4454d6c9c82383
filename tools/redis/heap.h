// The server's heap as a C++ allocator, so that what the module keeps counts in used_memory.
//
// Threads: any.
// Errors: std::bad_alloc where there is no memory; the server does not end.
#pragma once

#include <cstddef>
#include <new>

#include "tools/redis/module_api.h"

namespace vicinal::redis {

template <typename T>
struct Heap {
  using value_type = T;
  static_assert(alignof(T) <= 8, "the server's heap aligns to 8 bytes");

  Heap() noexcept = default;
  template <typename U>
  Heap(const Heap<U>&) noexcept {}  // NOLINT(google-explicit-constructor): converting by contract

  T* allocate(std::size_t n) {
    void* const p = api.TryAlloc(n * sizeof(T));
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<T*>(p);
  }
  void deallocate(T* p, std::size_t) noexcept { api.Free(p); }
  template <typename U>
  bool operator==(const Heap<U>&) const noexcept {
    return true;
  }
};

/// What an allocation of `bytes` costs, about: the heap's classes are 16 bytes apart at first.
constexpr std::size_t heap_bytes(std::size_t bytes) {
  const std::size_t step = bytes <= 128 ? 16 : bytes <= 1024 ? 64 : bytes / 8;
  return (bytes + step - 1) / step * step;
}

/// The engine's allocator hook (vicinal/memory.h) over the server's heap.
void* hook_allocate(std::size_t size, std::size_t alignment);
void hook_deallocate(void* pointer, std::size_t size, std::size_t alignment);

}  // namespace vicinal::redis
