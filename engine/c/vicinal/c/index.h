// vicinal_index: a searchable, mutable, durable set of labelled vectors.
//
// What: made by vicinal_store_index() (durable) or vicinal_index_create() (in memory). After
// vicinal_store_close() every function on the store's indexes answers VICINAL_CLOSED, but for those
// that cannot fail on a live handle: vicinal_index_contains(), _size(), _dimension(),
// _get_options() and _stats().
// Threads: every function from any thread beside any other, on one handle; searches never wait for
// writers.
//
// Moments: every search, get, contains and node sees the index as it was at one moment after the
// call began: all that was acknowledged before, and of what runs beside it a part, in the order in
// which it is acknowledged. An upsert, an erasure, an erase batch, and an upsert batch of at most
// an eighth of what is live are one step of that order; a larger batch is shown piece by piece.
//
// Callbacks (filters, visitors, progress) may call the index, and write to it. What would have to
// wait for the call that they belong to answers VICINAL_BUSY: closing its store or dropping the
// index (inside a filter: closing or dropping anything; inside vicinal_index_for_each_node() neither
// waits, and is done), maintenance inside maintenance, a whole repair inside a filter, and, in the
// progress of a batch, labels that are being written.
#pragma once

#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Makes an empty index that lives in memory only, and writes its handle to `*index`.
/// Errors: VICINAL_INVALID_ARGUMENT  dimension 0 (so `options` cannot be NULL) or any option out of
///                                   its range.
VICINAL_API vicinal_status vicinal_index_create(const vicinal_index_options* options,
                                                vicinal_index** index);

/// Frees the handle; NULL is nothing. What is durable stays; an index in memory is gone. No other
/// thread may be inside a function on this handle.
VICINAL_API void vicinal_index_free(vicinal_index* index);

/// Stores the `dimension` components at `vector` under `label`, replacing whatever was there.
/// `*outcome` (may be NULL) says what was found.
///
/// When this returns VICINAL_OK the change is as durable as the store's durability says, and every
/// search that begins later sees it. A search already running returns the old vector or the new
/// one, never a mixture, never neither, and never one label twice.
/// Threads: any, beside any other call. Racing upserts of one label apply in some order.
/// Errors: VICINAL_INVALID_ARGUMENT  wrong dimension; NaN or infinity; a norm without a finite
///                                   distance to every other: under cosine 0, below 2.9e-39 or
///                                   above 8.5e37; under squared L2 and inner product above
///                                   6.5e18.
///         VICINAL_IO_ERROR, VICINAL_FULL  the commit failed; nothing changed in memory.
///         VICINAL_BUSY              see Callbacks above.
///         VICINAL_READ_ONLY, VICINAL_CLOSED
/// Cost: O(ef_construction * M * dimension) and, when durable, one shared commit.
VICINAL_API vicinal_status vicinal_index_upsert(vicinal_index* index, uint64_t label,
                                                const float* vector, size_t dimension,
                                                vicinal_upsert_outcome* outcome);

/// What a batch did, by label.
typedef struct vicinal_batch_result {
  size_t size;
  uint64_t inserted;
  uint64_t updated;
  uint64_t resurrected;
  uint64_t unchanged;
  uint64_t repeated;  ///< earlier rows of a label that stood again later in the batch: ignored
} vicinal_batch_result;
VICINAL_API vicinal_status vicinal_batch_result_init(vicinal_batch_result* result, size_t size);

/// Stores row i of the `rows` x `dimension` components at `vectors` under labels[i]; a label that
/// stands twice gets its last row. `options` and `result` may be NULL.
///
/// Validated as a whole before anything changes, one transaction (very large batches: several, of
/// which the last makes all of them count), linked by all threads. Searches see a batch of at most
/// an eighth of what is live at once, a larger one piece by piece as it is linked. From 4,096 rows
/// on, vectors near each other are laid near each other in memory.
/// Shapes: labels[rows], vectors[rows * dimension], row-major.
/// Errors: as vicinal_index_upsert(), naming the first bad row;
///         VICINAL_CANCELLED  the progress callback said so while links were made: what was linked
///                            by then is stored and searchable, the rest is as if never given; the
///                            message has the numbers, `result` is not written.
VICINAL_API vicinal_status vicinal_index_upsert_batch(vicinal_index* index, const uint64_t* labels,
                                                      const float* vectors, size_t rows,
                                                      size_t dimension,
                                                      const vicinal_batch_options* options,
                                                      vicinal_batch_result* result);

/// Writes what was stored under `label` to the `dimension` floats at `vector`: the exact bits under
/// VICINAL_STORAGE_FLOAT32, else the numbers that the vector was rounded to.
/// Errors: VICINAL_INVALID_ARGUMENT  `dimension` is not the index's.
///         VICINAL_NOT_FOUND
///         VICINAL_CORRUPTION, VICINAL_IO_ERROR  the file does not give the vector any more.
VICINAL_API vicinal_status vicinal_index_get(const vicinal_index* index, uint64_t label,
                                             float* vector, size_t dimension);

/// Writes the same as it is stored to the `bytes` bytes at `stored`.
/// Errors: VICINAL_INVALID_ARGUMENT  `bytes` is not vicinal_stored_bytes() of the index; else as
///         vicinal_index_get().
VICINAL_API vicinal_status vicinal_index_get_stored(const vicinal_index* index, uint64_t label,
                                                    void* stored, size_t bytes);

/// Whether `label` is live. Of a closed index nothing is.
VICINAL_API vicinal_status vicinal_index_contains(const vicinal_index* index, uint64_t label,
                                                  bool* live);

/// Erases `label`: hidden from every search that begins later. `*outcome` (may be NULL) says
/// whether it was live.
/// Errors: as vicinal_index_upsert(), but for those of a vector.
/// Cost: O(1) plus, when durable, one shared commit.
VICINAL_API vicinal_status vicinal_index_erase(vicinal_index* index, uint64_t label,
                                               vicinal_erase_outcome* outcome);

/// Erases the `count` labels at `labels` in one commit; `*erased` (may be NULL) is how many were
/// live.
/// Errors: as vicinal_index_erase().
VICINAL_API vicinal_status vicinal_index_erase_batch(vicinal_index* index, const uint64_t* labels,
                                                     size_t count, uint64_t* erased);

/// Live vectors; of a closed index 0.
/// Cost: O(1).
VICINAL_API vicinal_status vicinal_index_size(const vicinal_index* index, uint64_t* size);
/// Components per vector.
/// Cost: O(1).
VICINAL_API vicinal_status vicinal_index_dimension(const vicinal_index* index, uint32_t* dimension);
/// The options in force (stored ones filled in); `progress` is NULL. `options` must have been
/// initialised.
VICINAL_API vicinal_status vicinal_index_get_options(const vicinal_index* index,
                                                     vicinal_index_options* options);

/// A hint that `count` vectors will be held.
VICINAL_API vicinal_status vicinal_index_reserve(vicinal_index* index, uint64_t count);

/// Calls `visit` for every live label with its stored vector, in unspecified order, until it
/// returns false. A label that is live all the time is visited once, whatever is written meanwhile,
/// with a vector it had then. Vectors are read as vicinal_index_get() reads them, and its errors
/// end the walk.
VICINAL_API vicinal_status vicinal_index_for_each(const vicinal_index* index,
                                                  vicinal_vector_visitor visit, void* context);

/// A node of the graph, with its links; for dumps and debugging.
typedef struct vicinal_node_view {
  size_t size;  ///< of this struct
  uint64_t label;
  uint32_t node;   ///< its id
  uint32_t level;  ///< its highest level
  uint32_t live;
  uint32_t link_levels;               ///< entries of the next three: a level each, 0 first
  const size_t* link_counts;          ///< links on the level
  const uint64_t* const* links;       ///< their labels, link_counts[level] of them
  const uint32_t* const* link_nodes;  ///< the same as node ids
} vicinal_node_view;

/// Takes one node after another; the view and its arrays live as long as the call. Return false to
/// end the walk, which is no failure.
typedef bool (*vicinal_node_visitor)(void* context, const vicinal_node_view* node);

/// Calls `visit` once, with `label`'s node.
/// Errors: VICINAL_NOT_FOUND.
VICINAL_API vicinal_status vicinal_index_node(const vicinal_index* index, uint64_t label,
                                              vicinal_node_visitor visit, void* context);
/// Visits every node that is linked, tombstones included, in node order.
VICINAL_API vicinal_status vicinal_index_for_each_node(const vicinal_index* index,
                                                       vicinal_node_visitor visit, void* context);

#ifdef __cplusplus
}
#endif
