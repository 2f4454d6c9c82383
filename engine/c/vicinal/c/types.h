// The plain vocabulary of the C ABI: enumerations, lengths, handles, callbacks that several
// functions take.
//
// Enumerations are int32_t with named constants, so that a value out of range is refused and not
// undefined. Never renumbered.
#pragma once

#include <vicinal/c/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A store on disk, opened. See vicinal/c/store.h.
typedef struct vicinal_store vicinal_store;
/// An index. See vicinal/c/index.h.
typedef struct vicinal_index vicinal_index;
/// A set of labels. See vicinal/c/label_set.h.
typedef struct vicinal_label_set vicinal_label_set;
/// What a radius search found. See vicinal/c/search.h.
typedef struct vicinal_hits vicinal_hits;

/// How nearness is measured. Smaller is nearer for all of them.
typedef int32_t vicinal_metric;
enum {
  VICINAL_COSINE = 0,         ///< 1 - cos(a, b), in [0, 2]. A zero vector is refused.
  VICINAL_INNER_PRODUCT = 1,  ///< 1 - <a, b>, any finite value.
  VICINAL_SQUARED_L2 = 2      ///< |a - b|^2, at least 0.
};

/// What the graph is traversed over. Reported distances are exact, from the stored vectors, whichever
/// is chosen.
typedef int32_t vicinal_quantization;
enum {
  VICINAL_QUANTIZATION_NONE = 0,  ///< the stored vectors.
  VICINAL_QUANTIZATION_INT8 = 1   ///< rotated int8 codes, re-ranked from the stored vectors; where
                                  ///< those are int8 they are the codes.
};

/// What a stored vector is made of: what vicinal_index_get() answers, what memory and files hold, and
/// what exact distances are computed from. Two vectors that are stored alike are the same.
typedef int32_t vicinal_storage;
enum {
  VICINAL_STORAGE_FLOAT32 = 0,  ///< the components as they come.
  VICINAL_STORAGE_FLOAT16 =
      1,                    ///< IEEE 754 binary16, the nearest, of two the even one. Refused: what
                            ///< would be beyond 65,504.
  VICINAL_STORAGE_INT8 = 2  ///< scale * code, codes in [-127, 127], one scale a vector: max|x| /
                            ///< 127, cut to 17 bits. Refused: max|x| below 1.5e-36, but for 0.
};

/// Bytes of a stored vector: `dimension` float32, or float16, or int8 codes, zeros up to a multiple of
/// 4, and the scale as a float32; little-endian. 0 for a storage that is none.
/// Threads: any.
VICINAL_API size_t vicinal_stored_bytes(vicinal_storage storage, size_t dimension);

/// When an acknowledged write survives what.
typedef int32_t vicinal_durability;
enum {
  VICINAL_DURABILITY_FULL = 0,     ///< fsync before each call returns: survives a power cut.
  VICINAL_DURABILITY_RELAXED = 1,  ///< survives a killed process; a power cut may lose the last.
  VICINAL_DURABILITY_NONE = 2      ///< nothing is promised before a sync or a clean close.
};

/// What an upsert found and did.
typedef int32_t vicinal_upsert_outcome;
enum {
  VICINAL_INSERTED = 0,     ///< the label was not there.
  VICINAL_UPDATED = 1,      ///< it had another vector, or was erased and had another vector.
  VICINAL_RESURRECTED = 2,  ///< erased before with this very vector: the tombstone was lifted.
  VICINAL_UNCHANGED = 3     ///< live with this very vector: nothing was written.
};

/// What an erasure found and did.
typedef int32_t vicinal_erase_outcome;
enum {
  VICINAL_ERASED = 0,  ///< the label was live.
  VICINAL_ABSENT = 1   ///< it was not: nothing was written.
};

/// The path a search took.
typedef int32_t vicinal_search_path;
enum {
  VICINAL_PATH_EMPTY = 0,           ///< nothing live, or k = 0: no work.
  VICINAL_PATH_GRAPH = 1,           ///< the HNSW walk.
  VICINAL_PATH_FILTERED_GRAPH = 2,  ///< the HNSW walk with a filter on what enters the results.
  VICINAL_PATH_EXACT_SCAN = 3       ///< every candidate was compared.
};

/// The word for a value ("inner_product", "int8", "float16", "full", "resurrected", "absent", "exact_scan");
/// "unknown" for a value that is none. Never NULL.
/// Threads: any.
VICINAL_API const char* vicinal_metric_name(vicinal_metric metric);
VICINAL_API const char* vicinal_quantization_name(vicinal_quantization quantization);
VICINAL_API const char* vicinal_storage_name(vicinal_storage storage);
VICINAL_API const char* vicinal_durability_name(vicinal_durability durability);
VICINAL_API const char* vicinal_upsert_outcome_name(vicinal_upsert_outcome outcome);
VICINAL_API const char* vicinal_erase_outcome_name(vicinal_erase_outcome outcome);
VICINAL_API const char* vicinal_search_path_name(vicinal_search_path path);

/// Lengths of the arrays inside structs. They do not change with a release.
enum {
  VICINAL_MAX_LEVELS = 32,    ///< levels a graph can have
  VICINAL_DEGREES = 130,      ///< 0 to 128 links, and one entry for more
  VICINAL_NAME_BYTES = 104,   ///< an index's name (at most 100 bytes) and its NUL
  VICINAL_TARGET_BYTES = 32,  ///< a CPU target's name and its NUL
  VICINAL_ERROR_BYTES = 512   ///< a message within a struct and its NUL; what is longer is cut
};

/// What long work tells its caller now and then: at once, then a few times a second at most, and when
/// a phase is done, which is too late to cancel it. Within a phase `done` never falls and is at most
/// `total`, which may grow; the last that is told of a phase that ends well has them equal.
typedef struct vicinal_progress {
  size_t size;        ///< of this struct
  const char* phase;  ///< what is being done: "vectors", "links", "repair", ...
  uint64_t done;      ///< units done
  uint64_t total;     ///< units in all; 0 when unknown
} vicinal_progress;

/// Called by long work from one thread at a time, not always the caller's. Return false to cancel:
/// the function then ends with VICINAL_CANCELLED as its documentation says.
typedef bool (*vicinal_progress_callback)(void* context, const vicinal_progress* progress);

/// A predicate over labels; called only for candidates, from the searching thread (batches:
/// several at once).
typedef bool (*vicinal_label_predicate)(void* context, uint64_t label);

/// Takes one text after another; `text` is NUL-terminated and lives as long as the call. Return
/// false to end the walk, which is no failure.
typedef bool (*vicinal_text_visitor)(void* context, const char* text);

/// Takes one label after another. Return false to end the walk, which is no failure.
typedef bool (*vicinal_label_visitor)(void* context, uint64_t label);

/// Takes one label with its vector after another; `vector` has `dimension` components and lives as
/// long as the call. Return false to end the walk, which is no failure.
typedef bool (*vicinal_vector_visitor)(void* context, uint64_t label, const float* vector,
                                       size_t dimension);

#ifdef __cplusplus
}
#endif
