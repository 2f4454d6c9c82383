// The server's heap for tests without a server: malloc, counted.
#pragma once

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tools/redis/module_api.h"

namespace vicinal::redis::fake {

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
  return true;
}

/// `before`, a number, `after`. (GCC 12 warns of `"a" + std::to_string(n)`.)
inline std::string numbered(std::string_view before, std::size_t number,
                            std::string_view after = {}) {
  std::string text(before);
  text.append(std::to_string(number));
  return text.append(after);
}

}  // namespace vicinal::redis::fake
