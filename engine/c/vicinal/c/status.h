// vicinal_status: how every fallible function of the C ABI answers, and the words for it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define VICINAL_API __attribute__((visibility("default")))
#else
#define VICINAL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// What a function answers. Each code is one action for the caller. More may come: treat an unknown
/// one as VICINAL_INTERNAL. Never renumbered.
typedef int32_t vicinal_status;
enum {
  VICINAL_OK = 0,
  VICINAL_INVALID_ARGUMENT = 1,  ///< the call is wrong: correct it.
  VICINAL_NOT_FOUND = 2,         ///< no such label, index or file.
  VICINAL_FULL = 3,        ///< a limit (disk, map, node ids) is reached: free space or raise it.
  VICINAL_BUSY = 4,        ///< somebody else holds it (a process, a rebuild): try later.
  VICINAL_IO_ERROR = 5,    ///< the system refused a read or a write; memory is unchanged.
  VICINAL_CORRUPTION = 6,  ///< stored bytes are not what was written: restore or salvage.
  VICINAL_FORMAT_VERSION = 7,   ///< written by another release: open with that one, or convert.
  VICINAL_READ_ONLY = 8,        ///< opened for reading: reopen for writing.
  VICINAL_CLOSED = 9,           ///< the store was closed: reopen it.
  VICINAL_CANCELLED = 10,       ///< the caller's progress callback asked to stop.
  VICINAL_OUT_OF_MEMORY = 100,  ///< no memory; nothing changed, no handle was made: free some.
  VICINAL_INTERNAL = 101        ///< a fault of the library's: report it.
};

/// The code's name ("invalid_argument"); "unknown" for a value that is none. Never NULL.
/// Threads: any.
VICINAL_API const char* vicinal_status_name(vicinal_status status);

/// What the last function that failed on this thread says, for people, with the numbers
/// ("dimension 383, index has 384"); "" when none has failed yet. Never NULL; what is longer than
/// 2,047 bytes is cut, between characters of UTF-8.
///
/// The pointer is valid, and the text unchanged, until the next failure on this thread or the
/// thread's end. A success leaves it alone, so ask only after a failure.
/// Threads: any; each has its own.
VICINAL_API const char* vicinal_last_message(void);

/// The library's version, "0.1.0".
/// Threads: any.
VICINAL_API const char* vicinal_version(void);

/// Returns `size` bytes aligned to `alignment` (a power of two), or NULL when there is no memory.
typedef void* (*vicinal_allocate_function)(size_t size, size_t alignment);
/// Takes back what the other returned, with the same size and alignment.
typedef void (*vicinal_deallocate_function)(void* pointer, size_t size, size_t alignment);

/// Makes every later small allocation of the engine (label maps, scratch, buffers) come from these
/// two instead of from operator new; vectors, codes and links are mapped by the engine itself.
/// Call it before any other use of Vicinal; the functions must be callable from any thread and
/// stay until the process ends. What is private to this border (handles, messages) stays with
/// operator new.
/// Errors: VICINAL_INVALID_ARGUMENT  a function is NULL.
///         VICINAL_BUSY              the engine has allocated already: nothing changed.
VICINAL_API vicinal_status vicinal_set_allocator(vicinal_allocate_function allocate,
                                                 vicinal_deallocate_function deallocate);

#ifdef __cplusplus
}
#endif
