// Searching an index: the nearest, many at once, and all within a radius.
//
// Queries are `dimension` float32 components; hits come nearest first, ties by label, with exact
// distances (from the stored float32 vectors, smaller is nearer).
#pragma once

#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a search cost, so that a surprising latency can be explained.
typedef struct vicinal_search_counters {
  size_t size;
  uint64_t distances;      ///< distances computed, codes and float32 together
  uint64_t nodes_visited;  ///< nodes expanded
  vicinal_search_path path;
  uint32_t reserved;
} vicinal_search_counters;
VICINAL_API vicinal_status vicinal_search_counters_init(vicinal_search_counters* counters,
                                                        size_t size);

/// The k nearest live vectors. Writes their labels to labels[0..*found), their distances to
/// distances[0..*found) (may be NULL), how many there are to `*found`; the rest of both arrays is
/// left alone. Never fails for having fewer than k: without a filter min(k, live) are found
/// whatever else is going on. k = 0 finds none. `options` and `counters` may be NULL.
///
/// The graph is walked, or what may be returned is compared one by one, whichever is the cheaper by
/// the numbers of this index.
/// Threads: any; takes no lock but, where the labels of a set are looked up one by one, those of
/// the label map for one look each. Allocates nothing once warm while k is at most 128.
/// Shapes: query[dimension], labels[k], distances[k].
/// Errors: VICINAL_INVALID_ARGUMENT  a query that vicinal_index_upsert() would refuse; an option
///                                   outside its range.
///         VICINAL_CORRUPTION, VICINAL_IO_ERROR  a vector that is not in memory is damaged or
///                                   cannot be read.
///         VICINAL_CLOSED
VICINAL_API vicinal_status vicinal_index_search(const vicinal_index* index, const float* query,
                                                size_t dimension, size_t k,
                                                const vicinal_search_options* options,
                                                uint64_t* labels, float* distances, size_t* found,
                                                vicinal_search_counters* counters);

/// One search per row of the `rows` x `dimension` components at `queries`, spread over `threads`
/// (at most 4,096; 0: the index's). Each sees a moment of its own.
///
/// Row i of the `rows` x `k` matrices `labels` and `distances` (may be NULL) has counts[i] hits
/// (`counts` may be NULL); what is left of a row is filled with UINT64_MAX and positive infinity.
/// `counters`, when not NULL, are `rows` structs, all of the `size` that the first has.
/// Shapes: queries[rows * dimension], labels[rows * k], distances[rows * k], counts[rows].
/// Errors: as vicinal_index_search(), naming the first bad row; nothing is written then.
///         VICINAL_INVALID_ARGUMENT  rows * dimension or rows * k is beyond what memory can have.
VICINAL_API vicinal_status vicinal_index_search_batch(
    const vicinal_index* index, const float* queries, size_t rows, size_t dimension, size_t k,
    const vicinal_search_options* options, uint32_t threads, uint64_t* labels, float* distances,
    size_t* counts, vicinal_search_counters* counters);

/// Live vectors within `radius` (distance <= radius): all that the walk finds, and with
/// options.exact all that there are. The handle is written to `*hits`, to be freed by
/// vicinal_hits_free(); `options` and `counters` may be NULL.
/// Errors: as vicinal_index_search(); VICINAL_INVALID_ARGUMENT  a radius that is not a number.
VICINAL_API vicinal_status vicinal_index_search_radius(
    const vicinal_index* index, const float* query, size_t dimension, float radius,
    const vicinal_radius_options* options, vicinal_hits** hits, vicinal_search_counters* counters);

/// How many were found; 0 for NULL.
VICINAL_API size_t vicinal_hits_count(const vicinal_hits* hits);
/// Their labels, contiguous, valid until vicinal_hits_free(). NULL for NULL, and perhaps when there
/// are none.
VICINAL_API const uint64_t* vicinal_hits_labels(const vicinal_hits* hits);
/// Their distances, likewise.
VICINAL_API const float* vicinal_hits_distances(const vicinal_hits* hits);
/// Whether more lie within the radius than vicinal_radius_options::max_hits; false for NULL.
VICINAL_API bool vicinal_hits_cut(const vicinal_hits* hits);
/// Frees the hits; NULL is nothing.
VICINAL_API void vicinal_hits_free(vicinal_hits* hits);

#ifdef __cplusplus
}
#endif
