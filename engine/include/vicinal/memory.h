// The allocator hook: where the engine's small allocations come from.
//
// Vectors, codes and links live in arenas that the engine maps itself; everything else (label maps,
// scratch, buffers) goes through this hook. The default is ::operator new and ::operator delete, so
// the static library never replaces its host's malloc. Programs that want another allocator install
// it once, before the first Store or Index is made; `-DVICINAL_WITH_MIMALLOC=ON` adds a function
// that plugs in mimalloc.
#pragma once

#include <cstddef>

#include "vicinal/requirements.h"

namespace vicinal {

struct AllocatorHook {
  /// Returns `size` bytes aligned to `alignment` (a power of two), or nullptr when there is no
  /// memory.
  void* (*allocate)(std::size_t size, std::size_t alignment) = nullptr;
  /// Takes back what `allocate` returned, with the same size and alignment.
  void (*deallocate)(void* pointer, std::size_t size, std::size_t alignment) = nullptr;
};

/// Installs `hook` for every later allocation of the engine. Returns false, and changes nothing,
/// when the engine has allocated already or a function is null.
/// Threads: call before any other use of Vicinal.
bool set_allocator(const AllocatorHook& hook) noexcept;

/// The hook in force.
/// Threads: any.
AllocatorHook allocator() noexcept;

}  // namespace vicinal
