#include "vicinal/memory.h"

#include <atomic>
#include <new>

#include "engine/base/allocator.h"

namespace vicinal {
namespace {

void* default_allocate(std::size_t size, std::size_t alignment) {
  return ::operator new(size, std::align_val_t(alignment), std::nothrow);
}
void default_deallocate(void* pointer, std::size_t, std::size_t alignment) {
  // Without the size: clang declares the sized form only on request.
  ::operator delete(pointer, std::align_val_t(alignment));
}

constexpr AllocatorHook kDefault{default_allocate, default_deallocate};

// The hook may only change before its first use, so readers need no lock: `used` is set by the
// first allocation and refuses any later set_allocator().
std::atomic<bool> used{false};
std::atomic<void* (*)(std::size_t, std::size_t)> allocate_function{kDefault.allocate};
std::atomic<void (*)(void*, std::size_t, std::size_t)> deallocate_function{kDefault.deallocate};

}  // namespace

bool set_allocator(const AllocatorHook& hook) noexcept {
  if (hook.allocate == nullptr || hook.deallocate == nullptr || used.load()) return false;
  allocate_function.store(hook.allocate);
  deallocate_function.store(hook.deallocate);
  return true;
}

AllocatorHook allocator() noexcept {
  return {allocate_function.load(), deallocate_function.load()};
}

namespace internal {

void* hook_allocate(std::size_t size, std::size_t alignment) {
  if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);
  void* pointer = allocate_function.load(std::memory_order_relaxed)(size, alignment);
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

void hook_deallocate(void* pointer, std::size_t size, std::size_t alignment) noexcept {
  deallocate_function.load(std::memory_order_relaxed)(pointer, size, alignment);
}

}  // namespace internal
}  // namespace vicinal
