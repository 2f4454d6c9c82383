// The server's heap for tests without a server: malloc, counted.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>

#include <malloc.h>

#include "tools/redis/module_api.h"

namespace vicinal::redis::testing {

inline std::atomic<std::size_t> heap_now{0};
inline std::atomic<std::size_t> heap_most{0};
inline std::atomic<std::size_t> blocks{0};

/// Makes `api` answer what sets need. Once, before anything else.
inline bool use_fake_server() {
  api.TryAlloc = [](std::size_t bytes) {
    void* const block = std::malloc(bytes == 0 ? 1 : bytes);
    if (block == nullptr) return block;
    ++blocks;
    const std::size_t now = heap_now += malloc_usable_size(block);
    std::size_t most = heap_most.load();
    while (most < now && !heap_most.compare_exchange_weak(most, now)) {
    }
    return block;
  };
  api.Free = [](void* block) {
    if (block == nullptr) return;
    --blocks;
    heap_now -= malloc_usable_size(block);
    std::free(block);
  };
  api.Log = [](ServerContext*, const char*, const char*, ...) {};
  return true;
}

}  // namespace vicinal::redis::testing
