#include <mimalloc.h>

#include "vicinal/memory.h"
#include "vicinal/mimalloc.h"

namespace vicinal {
namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  return mi_malloc_aligned(size, alignment);
}
void deallocate(void* pointer, std::size_t size, std::size_t alignment) {
  mi_free_size_aligned(pointer, size, alignment);
}

}  // namespace

bool use_mimalloc() noexcept { return set_allocator({allocate, deallocate}); }

}  // namespace vicinal
