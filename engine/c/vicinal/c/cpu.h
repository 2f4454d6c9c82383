// The CPU targets of the kernels: what was compiled, what this machine runs, what was chosen.
#pragma once

#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vicinal_cpu_target {
  size_t size;          ///< of this struct
  const char* name;     ///< "avx3_vnni", "avx2", "neon", ...
  const char* why_not;  ///< why it is not supported; "" otherwise
  uint32_t supported;   ///< this CPU executes it
  uint32_t chosen;      ///< new indexes use it
} vicinal_cpu_target;

/// Takes one target after another; it lives as long as the call. Return false to end the walk.
typedef bool (*vicinal_cpu_target_visitor)(void* context, const vicinal_cpu_target* target);

/// Visits every target compiled into this build, best first.
/// Threads: any.
VICINAL_API vicinal_status vicinal_for_each_cpu_target(vicinal_cpu_target_visitor visit,
                                                       void* context);

/// Writes the name of the target that an index opened now would use, and a NUL, to `name`, which
/// has room for `capacity` bytes; VICINAL_TARGET_BYTES are enough for all.
/// Threads: any.
/// Errors: VICINAL_INVALID_ARGUMENT  the environment variable VICINAL_TARGET names one that is
///                                   unknown or cannot run here (the message lists the valid ones);
///                                   `capacity` is too small (the message has both numbers).
VICINAL_API vicinal_status vicinal_chosen_cpu_target(char* name, size_t capacity);

/// Makes indexes opened later use the target `name`; "" or NULL undoes it. VICINAL_TARGET in the
/// environment does the same from outside.
/// Threads: must not race the opening of indexes.
/// Errors: VICINAL_INVALID_ARGUMENT  unknown, or not executable here; lists the valid names.
VICINAL_API vicinal_status vicinal_force_cpu_target(const char* name);

#ifdef __cplusplus
}
#endif
