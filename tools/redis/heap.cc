#include "tools/redis/heap.h"

#include <cstdint>

namespace vicinal::redis {
namespace {

// What every heap that a server is built with keeps, for the smallest blocks too.
constexpr std::size_t kServerAlignment = 8;

}  // namespace

// Where the server's heap does not align enough the block is that much longer, and the byte behind the
// user's last says by how many eights it was moved: the size comes back with the pointer.
void* hook_allocate(std::size_t size, std::size_t alignment) {
  if (alignment <= kServerAlignment) return api.TryAlloc(size);
  const std::size_t slack = alignment - kServerAlignment;
  if (alignment > 255 * kServerAlignment || size > SIZE_MAX - slack - 1) return nullptr;
  auto* const block = static_cast<std::byte*>(api.TryAlloc(size + slack + 1));
  if (block == nullptr) return nullptr;
  const std::size_t moved =
      (alignment - reinterpret_cast<std::uintptr_t>(block) % alignment) % alignment;
  block[moved + size] = static_cast<std::byte>(moved / kServerAlignment);
  return block + moved;
}

void hook_deallocate(void* pointer, std::size_t size, std::size_t alignment) {
  if (pointer == nullptr) return;
  if (alignment <= kServerAlignment) return api.Free(pointer);
  auto* const user = static_cast<std::byte*>(pointer);
  api.Free(user - std::to_integer<std::size_t>(user[size]) * kServerAlignment);
}

}  // namespace vicinal::redis
