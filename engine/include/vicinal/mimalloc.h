// mimalloc as the engine's allocator: an optional helper (CMake option VICINAL_WITH_MIMALLOC,
// target vicinal::mimalloc, pkg-config vicinal-mimalloc).
//
// Opt-in, because the shared mimalloc that distributions package replaces malloc and operator new
// of the whole process that links it.
// Threads: call before any other use of Vicinal.
#pragma once

#include "vicinal/requirements.h"

namespace vicinal {

/// Makes the engine allocate from mimalloc. Returns false, and changes nothing, when the engine has
/// allocated already (see set_allocator).
bool use_mimalloc() noexcept;

}  // namespace vicinal
