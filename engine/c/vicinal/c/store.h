// vicinal_store: one LMDB environment on disk that holds any number of named indexes.
//
// What: made by vicinal_store_open(). One process opens a path for writing once: a second one, or a
// second open in the same process, gets VICINAL_BUSY.
// Threads: every function from any thread, on one handle; the store's own are one that commits
// single writes and that of vicinal_store_options::background.
// Handles do not pass over fork(): in a child every function on them, and on their indexes, answers
// VICINAL_CLOSED, and to free them does nothing more. A child may open the store itself.
//
// Paths and names are NUL-terminated.
#pragma once

#include <vicinal/c/index.h>
#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Opens the store at the folder `path`, making it when options.create says so; the handle is
/// written to `*store`. `options` may be NULL.
/// Errors: VICINAL_NOT_FOUND         no store there and options.create is 0.
///         VICINAL_INVALID_ARGUMENT  the path is a file or a folder with other content.
///         VICINAL_BUSY              open for writing elsewhere (this process or another).
///         VICINAL_IO_ERROR          no permission, read-only file system; no thread for
///                                   options.background.
///         VICINAL_CORRUPTION        truncated, not LMDB's, or a page that LMDB would walk is
///                                   damaged.
///         VICINAL_FORMAT_VERSION    another release's; see vicinal_store_convert().
VICINAL_API vicinal_status vicinal_store_open(const char* path,
                                              const vicinal_store_options* options,
                                              vicinal_store** store);

/// Checkpoints (unless read-only) and closes; open indexes answer VICINAL_CLOSED from then on. The
/// handle stays and must still be freed. A second call is VICINAL_OK.
/// Errors: VICINAL_BUSY                    called inside a callback of this store or of one of its
///                                         indexes (all but vicinal_index_for_each_node()'s), or
///                                         inside any filter of a search.
///         VICINAL_IO_ERROR, VICINAL_FULL  the checkpoint could not be written.
VICINAL_API vicinal_status vicinal_store_close(vicinal_store* store);

/// Frees the handle, closing the store when vicinal_store_close() has not: that cannot report
/// errors. NULL is nothing. No other thread may be inside a function on this handle.
/// Inside a callback the handle is gone at once; the store is closed when the outermost call that the
/// callback belongs to ends, before it returns, or, after an event of the store's own thread, soon
/// and by that thread. Until then its path is VICINAL_BUSY, its indexes go on, and events may come. A
/// process that ends before loses nothing that was acknowledged.
VICINAL_API void vicinal_store_free(vicinal_store* store);

/// Makes a store of an earlier format one that this release opens; `*converted` (may be NULL) is
/// false when there is nothing to do. It is copied beside itself, so there must be room for that,
/// and the copy takes its place at once: a crash leaves one or the other.
/// Errors: VICINAL_NOT_FOUND, VICINAL_INVALID_ARGUMENT, VICINAL_CORRUPTION as vicinal_store_open();
///         VICINAL_BUSY            open for writing.
///         VICINAL_FORMAT_VERSION  of a later release.
///         VICINAL_IO_ERROR, VICINAL_FULL. Nothing is changed then.
VICINAL_API vicinal_status vicinal_store_convert(const char* path, bool* converted);

/// The path as it was opened; belongs to the handle. NULL for NULL.
VICINAL_API const char* vicinal_store_path(const vicinal_store* store);

/// The index called `name` (1 to 100 bytes of letters, digits, '_', '-', '.'), opened or created;
/// a handle of its own is written to `*index`. `options` may be NULL for an index that is there.
///
/// The first call in a process loads it, by all threads: vectors and checkpointed links are
/// verified and read, the journal is replayed. Later calls give the same index.
/// Errors: VICINAL_INVALID_ARGUMENT  stored options differ (both values named); dimension 0 for a
///                                   new index; a bad name.
///         VICINAL_CORRUPTION        a node or vector record is damaged (its label named); see
///                                   vicinal_index_options::salvage.
///         VICINAL_IO_ERROR          the file cannot be read.
///         VICINAL_CANCELLED         options.progress said so.
///         VICINAL_READ_ONLY, VICINAL_CLOSED
VICINAL_API vicinal_status vicinal_store_index(vicinal_store* store, const char* name,
                                               const vicinal_index_options* options,
                                               vicinal_index** index);

/// The existing index called `name` as it is stored; `tuning` (may be NULL) gives the fields that
/// are not stored. A stored field in it may be as stored or as it is by default.
/// Errors: VICINAL_NOT_FOUND, and as vicinal_store_index().
VICINAL_API vicinal_status vicinal_store_open_index(vicinal_store* store, const char* name,
                                                    const vicinal_index_options* tuning,
                                                    vicinal_index** index);

/// Visits the names of the stored indexes, sorted.
VICINAL_API vicinal_status vicinal_store_for_each_index_name(const vicinal_store* store,
                                                             vicinal_text_visitor visit,
                                                             void* context);

/// Row i of the `count` x `dimension` matrix `vectors` gets the exact bits stored under labels[i]
/// in the index called `name`, open or not, without loading it, and live[i] is true (`live` may be
/// NULL); a row whose label is not live is filled with zeros, and live[i] is false.
/// Shapes: labels[count], vectors[count * dimension], live[count].
/// Errors: VICINAL_INVALID_ARGUMENT  `dimension` is not the index's (noticed when a label is live).
///         VICINAL_NOT_FOUND         no such index.
///         VICINAL_CORRUPTION        a record that had to be read is damaged.
///         VICINAL_IO_ERROR, VICINAL_CLOSED
/// Cost: one walk over node blocks and journal for all labels together, and a chunk (at most 64
/// KiB, or a row) for each vector. Memory: twice the answer.
VICINAL_API vicinal_status vicinal_store_stored_vectors(const vicinal_store* store,
                                                        const char* name, const uint64_t* labels,
                                                        size_t count, size_t dimension,
                                                        float* vectors, bool* live);

/// Deletes the index and everything stored for it; handles to it answer VICINAL_CLOSED afterwards.
/// It is gone, and the name free, by one commit; what it had stored follows in steps.
/// Errors: VICINAL_NOT_FOUND, VICINAL_BUSY, VICINAL_IO_ERROR, VICINAL_READ_ONLY, VICINAL_CLOSED.
VICINAL_API vicinal_status vicinal_store_drop_index(vicinal_store* store, const char* name);

/// Checkpoints every open index.
VICINAL_API vicinal_status vicinal_store_checkpoint(vicinal_store* store);
/// Makes every acknowledged write survive a power cut, whatever the durability. After one that failed all
/// fail, closing too where durability is not full: what could not be written may be lost. A backup to
/// another disk has it.
VICINAL_API vicinal_status vicinal_store_sync(vicinal_store* store);

/// Writes a compact copy of the whole store to the folder `path` (absent or empty, or with
/// what a backup left that was killed) while readers and writers go on. The copy is a store of its own. This
/// is also the way to shrink. VICINAL_BUSY: another backup into it is under way.
VICINAL_API vicinal_status vicinal_store_backup(const vicinal_store* store, const char* path);

/// Verifies the checksum of every stored record of every index without loading graphs. Writes the
/// number of records that fail to `*failed`; `visit` (may be NULL) gets a line for each, at most
/// 100, when all have been read. A record that fails is no failure of the call.
VICINAL_API vicinal_status vicinal_store_verify_records(const vicinal_store* store,
                                                        vicinal_text_visitor visit, void* context,
                                                        uint64_t* failed);

/// Visits the journal of the index called `name`, oldest first, one JSON object an entry:
/// {"seq":..,"op":..,...}.
/// Errors: VICINAL_NOT_FOUND, VICINAL_CORRUPTION, VICINAL_IO_ERROR, VICINAL_CLOSED.
VICINAL_API vicinal_status vicinal_store_for_each_journal_entry(const vicinal_store* store,
                                                                const char* name,
                                                                vicinal_text_visitor visit,
                                                                void* context);

#ifdef __cplusplus
}
#endif
