// What a program takes through operator new and through the engine's allocator hook: the most of it
// at once. Linked into a program that counts.
//
// Threads: any.
#pragma once

#include <cstddef>

namespace vicinal::testing {

/// Lets the engine allocate by operator new, whatever the program was linked with; call first.
void count_engine_memory();
/// Forgets the most so far.
void begin_memory_count();
/// Bytes that were taken at once since then, beyond what was held at that time.
std::size_t most_memory();

}  // namespace vicinal::testing
