// Linked into this project's own programs (target vicinal_program_allocator): the engine allocates
// from mimalloc from the start, before main() can have made an index.
#include "vicinal/mimalloc.h"

namespace {
[[maybe_unused]] const bool kPlugged = vicinal::use_mimalloc();
}  // namespace
