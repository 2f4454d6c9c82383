// An index as bytes: saved to, and loaded from, any stream; writes paused for hosts that fork.
#pragma once

#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Writes that are paused. See vicinal_index_pause_writes().
typedef struct vicinal_paused_writes vicinal_paused_writes;

/// Takes the next `count` bytes of a stream, all of them; at most 32 MiB and 16 bytes a call. What
/// is not VICINAL_OK ends the call that it belongs to, which answers it; a code that is none is
/// VICINAL_IO_ERROR. Called by the thread that saves.
typedef vicinal_status (*vicinal_sink)(void* context, const void* bytes, size_t count);

/// Writes the next bytes of a stream to `room`, as many as it likes from 1 to `capacity`, and how
/// many to `*count`; 0: the stream has ended. Other answers as of vicinal_sink. Called by the thread
/// that loads.
typedef vicinal_status (*vicinal_source)(void* context, void* room, size_t capacity, size_t* count);

/// Writes the index as bytes to `sink`, as it is at one moment: vectors, links and the options that
/// are stored with an index. persist/FORMAT.md says which bytes.
///
/// Threads: any; writers go on. What they give up meanwhile is not used again before the call ends,
/// and a repair pass that begins waits for it. Closing the index's store waits too.
/// Errors: of the sink; VICINAL_CORRUPTION, VICINAL_IO_ERROR for vectors that are not in memory;
///         VICINAL_CLOSED.
/// Cost: reads what it writes; 3 bits a node and a buffer of at most 4 MiB, or of one vector.
VICINAL_API vicinal_status vicinal_index_save(const vicinal_index* index, vicinal_sink sink,
                                              void* context);

/// Makes an index in memory of what vicinal_index_save() wrote, links included, and writes its handle
/// to `*index`. Takes the bytes of the index from `source` and not one more. `tuning` (may be NULL)
/// gives the fields that are not stored; a stored field in it may be as stored or as it is by
/// default.
/// Errors: of the source; VICINAL_INVALID_ARGUMENT  tuning; VICINAL_FORMAT_VERSION  a later release
///         wrote it; VICINAL_CORRUPTION  it is no index, is damaged, ends early or holds what no
///         index can: no more memory is taken than an index of the bytes that came needs;
///         VICINAL_CANCELLED  tuning.progress said so.
/// Cost: 2 to 3 times that of copying the bytes into fresh memory by one thread.
VICINAL_API vicinal_status vicinal_index_load(vicinal_source source, void* context,
                                              const vicinal_index_options* tuning,
                                              vicinal_index** index);

/// Waits until no write is at work on the index, some milliseconds at most beside a batch, a rebuild
/// or repair, and has those that follow wait until `*paused` is freed; searches go on. For hosts
/// that fork() to save: fork while it lives, vicinal_paused_writes_save() in the child.
///
/// Threads: any, several at once. The thread that called it is refused (VICINAL_BUSY) what would
/// wait for itself: writes, repair, rebuild, checkpoint, reserve, closing the store.
/// Errors: VICINAL_BUSY  in a callback of any index.
VICINAL_API vicinal_status vicinal_index_pause_writes(const vicinal_index* index,
                                                      vicinal_paused_writes** paused);

/// As vicinal_index_save(), but the index stands still. In a child that was forked while `paused`
/// lived it takes no lock and uses no memory that was not there before, so that the child may end
/// with _exit() afterwards.
/// Errors: of the sink; VICINAL_INVALID_ARGUMENT  vectors are not in memory; VICINAL_BUSY  another save
///         of `paused` is under way.
VICINAL_API vicinal_status vicinal_paused_writes_save(vicinal_paused_writes* paused,
                                                      vicinal_sink sink, void* context);

/// Lets the writes go on; NULL is nothing.
VICINAL_API void vicinal_paused_writes_free(vicinal_paused_writes* paused);

#ifdef __cplusplus
}
#endif
