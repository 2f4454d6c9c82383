// The allocator hook as a standard allocator: containers of every room that should follow the
// host's choice of memory use HookAllocator (`Vector<T>` for short).
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace vicinal::internal {

/// Allocates through the hook; throws std::bad_alloc when it has no memory.
void* hook_allocate(std::size_t size, std::size_t alignment);
void hook_deallocate(void* pointer, std::size_t size, std::size_t alignment) noexcept;

template <typename T>
struct HookAllocator {
  using value_type = T;

  HookAllocator() noexcept = default;
  template <typename U>
  HookAllocator(const HookAllocator<U>&) noexcept {
  }  // NOLINT(google-explicit-constructor): converting by contract

  T* allocate(std::size_t n) { return static_cast<T*>(hook_allocate(n * sizeof(T), kAlignment)); }
  void deallocate(T* pointer, std::size_t n) noexcept {
    // NOLINTNEXTLINE(bugprone-sizeof-expression): T is a pointer in a deque's directory
    hook_deallocate(pointer, n * sizeof(T), kAlignment);
  }
  template <typename U>
  bool operator==(const HookAllocator<U>&) const noexcept {
    return true;
  }

 private:
  // Cache-line alignment for numbers and rows lets kernels take container data directly. Else no less
  // than what posix_memalign takes, which a hook may call.
  static constexpr bool kForKernels = std::is_arithmetic_v<T> || std::is_same_v<T, std::byte>;
  static constexpr std::size_t kAlignment = std::max(alignof(T), kForKernels ? 64 : alignof(void*));
};

template <typename T>
using Vector = std::vector<T, HookAllocator<T>>;

}  // namespace vicinal::internal
