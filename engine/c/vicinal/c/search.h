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
  uint32_t stopped;    ///< 1: max_distances or timeout_us ended the search
  uint64_t row_bytes;  ///< of the sketches, codes and vectors that were compared
  uint64_t ef_search;  ///< candidates kept; 0 where all were compared as asked
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

/// The next `n` hits behind the `known` labels that earlier searches of the same query found: a
/// search for known + n at a moment of its own, without those. Holds nothing between calls. `labels`
/// and `distances` (may be NULL) take n.
/// Errors: as vicinal_index_search(); VICINAL_INVALID_ARGUMENT  known + n is beyond what memory can
/// have.
VICINAL_API vicinal_status vicinal_index_more(const vicinal_index* index, const float* query,
                                              size_t dimension, const uint64_t* known_labels,
                                              size_t known, size_t n,
                                              const vicinal_search_options* options,
                                              uint64_t* labels, float* distances, size_t* found,
                                              vicinal_search_counters* counters);

/// What is known of recall@k by ef_search, where vicinal_search_options::recall is said: rows of
/// rising ef from k on, with the recall expected. It is measured on the index's own vectors and
/// learned from the queries asked with a recall; see Index::expected_recall() of the C++ API. Where
/// nothing is known of that k it is measured now, a second or so.
/// Shapes: efs[capacity], recalls[capacity]; `*count` is how many rows there are, none where all
/// vectors are compared, and 26 at most; those that have room are written. `own_vectors` and
/// `queries` (may be NULL) get the sizes of the two samples.
/// Errors: VICINAL_INVALID_ARGUMENT  k is 0;  VICINAL_CLOSED
VICINAL_API vicinal_status vicinal_index_expected_recall(const vicinal_index* index, size_t k,
                                                         size_t* efs, double* recalls,
                                                         size_t capacity, size_t* count,
                                                         uint64_t* own_vectors, uint64_t* queries);

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
