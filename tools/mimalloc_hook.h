// Plugs mimalloc into the engine's allocator hook: for programs, never for the library.
#pragma once

#include <mimalloc.h>

#include "vicinal/memory.h"

namespace vicinal::tools {

/// Call before any other use of Vicinal. Returns what set_allocator() returns.
inline bool install_mimalloc() {
  AllocatorHook hook;
  hook.allocate = [](std::size_t size, std::size_t alignment) {
    return mi_malloc_aligned(size, alignment);
  };
  hook.deallocate = [](void* pointer, std::size_t size, std::size_t alignment) {
    mi_free_size_aligned(pointer, size, alignment);
  };
  return set_allocator(hook);
}

}  // namespace vicinal::tools
