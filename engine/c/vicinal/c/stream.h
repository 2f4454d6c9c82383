// An index as bytes: to any stream and back, and for hosts that fork() to save.
//
// What: vicinal_index_save() writes vectors and links as they are at one moment,
// vicinal_index_load() makes an index in memory of them: a copy, not a build. The bytes are those
// that persist/FORMAT.md describes, whatever language wrote them.
// Threads: sinks and sources are called by the thread that called the function, one call at a time.
#pragma once

#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Takes the next `count` bytes, all of them: a piece of at most 32 MiB and 16 bytes a call. What is
/// not VICINAL_OK ends the save, which answers it (what is no status: VICINAL_IO_ERROR).
typedef vicinal_status (*vicinal_sink)(void* context, const void* bytes, size_t count);

/// Writes the next bytes to `room`, at least one and at most `capacity`, and how many to `*count`; 0:
/// the stream has ended. What is not VICINAL_OK ends the load, which answers it.
typedef vicinal_status (*vicinal_source)(void* context, void* room, size_t capacity, size_t* count);

/// Writes the index as it is at one moment, beside readers and writers.
///
/// What writers give up meanwhile is not used again before the call ends: a sink that takes long
/// costs the memory of what is written meanwhile. Closing the index's store waits.
/// Errors: the sink's; as vicinal_index_get() for vectors that are not in memory; VICINAL_CLOSED.
VICINAL_API vicinal_status vicinal_index_save(const vicinal_index* index, vicinal_sink sink,
                                              void* context);

/// Makes an index in memory of what was saved, and writes its handle to `*index`. Takes the bytes of
/// the index and not one more.
///
/// `tuning` may be NULL: of its fields those of performance count, and stored ones that are not as by
/// default must agree with what was saved.
/// Errors: the source's; VICINAL_INVALID_ARGUMENT  tuning; VICINAL_FORMAT_VERSION;
///         VICINAL_CORRUPTION  it is no index, is damaged or ends early, or holds what no index can.
///         VICINAL_CANCELLED   the progress of `tuning` said so.
VICINAL_API vicinal_status vicinal_index_load(vicinal_source source, void* context,
                                              const vicinal_index_options* tuning,
                                              vicinal_index** index);

/// An index whose writes are paused.
typedef struct vicinal_paused_writes vicinal_paused_writes;

/// Returns within some milliseconds, when nothing changes any more that searches see or a save
/// writes; writes wait until `*paused` is freed, searches go on.
/// Threads: any, several at once. The thread that called it is refused (VICINAL_BUSY) what would
/// wait for itself; it must not wait for others that may be writing.
/// Errors: VICINAL_BUSY  in a callback.
VICINAL_API vicinal_status vicinal_index_pause_writes(const vicinal_index* index,
                                                      vicinal_paused_writes** paused);

/// As vicinal_index_save(). In a child that was forked meanwhile: takes no lock and no memory that
/// was not there before, unless it fails.
/// Errors: the sink's; VICINAL_INVALID_ARGUMENT  vectors are not in memory.
VICINAL_API vicinal_status vicinal_paused_writes_save(vicinal_paused_writes* paused,
                                                      vicinal_sink sink, void* context);

/// Writes go on. NULL is nothing.
VICINAL_API void vicinal_paused_writes_free(vicinal_paused_writes* paused);

#ifdef __cplusplus
}
#endif
