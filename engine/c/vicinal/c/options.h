// How stores and indexes are made, and how long work is done: structs and their initialisers.
//
// Every ..._init(x, size) writes `size` and the defaults to the first `size` bytes at `x`; pass
// `sizeof *x`. What a newer struct has beyond this library's is set to 0.
// Errors: VICINAL_INVALID_ARGUMENT  `x` is NULL; `size` is less than that of its first field, or
//                                   more than 65,536.
#pragma once

#include <vicinal/c/event.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How an index is made. The first group is stored with it; opening an existing index with a field
/// that differs is VICINAL_INVALID_ARGUMENT naming both values. A number that is 0 accepts what is
/// stored; with vicinal_store_open_index() fields as they are by default do, too.
typedef struct vicinal_index_options {
  size_t size;

  // -- Behaviour, stored with the index.

  /// Components per vector, 1 to 65,536. Required to create an index; 0 (default) accepts what is
  /// stored.
  uint32_t dimension;
  /// Default VICINAL_COSINE.
  vicinal_metric metric;
  /// Links per node: at most M on levels 1 and up, 2M on level 0. 4 to 64, default 16.
  uint32_t M;
  /// Candidates kept when a node is linked, M to 10,000, default 200.
  uint32_t ef_construction;
  /// Candidates a search keeps unless told otherwise, 1 to 100,000, default 64.
  uint32_t ef_search;
  /// Default VICINAL_QUANTIZATION_INT8.
  vicinal_quantization quantization;
  /// Seed of levels and of the code rotation, default 42. A batch build with the same seed and data
  /// gives the same bytes at any number of threads.
  uint64_t seed;

  // -- Performance, this process only.

  /// Vectors expected; a hint that spares growth. Default 0.
  uint64_t reserve;
  /// Run a slice of repair after writes once tombstones pass this share of all nodes, 0 (never) to
  /// 1. Default 0.2.
  double repair_share;
  /// Threads for batch work when the call does not say, at most 4,096; 0 (default): one per CPU.
  uint32_t threads;
  /// 1 (default): the stored vectors are kept in memory. 0: they are read from the store's map for
  /// re-ranking and get (ignored without a store, and where int8 ones are traversed themselves);
  /// needs VICINAL_QUANTIZATION_INT8.
  uint32_t vectors_in_memory;
  /// 1: every upsert or batch rebuilds the whole graph; for comparison only. Default 0.
  uint32_t rebuild_on_upsert;
  /// 1: opens although vector records are damaged: they are set aside and counted. Default 0.
  uint32_t salvage;
  /// Progress of the work that opening itself does; called before the opening returns only. May be
  /// NULL (default).
  vicinal_progress_callback progress;
  void* progress_context;

  /// Of the first group, stored with the index: what vectors are stored as. Default
  /// VICINAL_STORAGE_FLOAT32.
  vicinal_storage storage;
  uint32_t reserved;
} vicinal_index_options;
VICINAL_API vicinal_status vicinal_index_options_init(vicinal_index_options* options, size_t size);

/// How a store is opened.
typedef struct vicinal_store_options {
  size_t size;
  /// Default VICINAL_DURABILITY_FULL.
  vicinal_durability durability;
  /// 0: VICINAL_NOT_FOUND when there is no store at the path. Default 1.
  uint32_t create;
  /// 1: every write answers VICINAL_READ_ONLY. Works on a read-only file system, and beside a writer
  /// process if lock.mdb may be written; where it may not, readers and writers of other processes exclude
  /// each other (VICINAL_BUSY). An index is as it was at the moment it was opened. Default 0.
  uint32_t read_only;
  /// 1 (default): a thread of the store writes checkpoints and repair slices when they are due.
  /// What fails is tried again every second, and told by on_event. 0 leaves both to the caller.
  uint32_t background;
  /// Bytes of address space for the map at first; it grows by itself. 0 (default): the library's
  /// choice.
  uint64_t map_bytes;
  /// The most bytes the file may grow to; VICINAL_FULL beyond. Half of it, at most 64 MiB, is kept
  /// from upserts. 0 (default): no limit but the disk's.
  uint64_t max_map_bytes;
  /// Bytes of vectors written to an index since its last checkpoint after which the next is due.
  /// Default 64 MiB.
  uint64_t checkpoint_bytes;
  /// Permissions of the files that are made, before the umask takes away. Default 0666 (octal).
  uint32_t file_mode;
  uint32_t reserved;
  /// Told what happens in the store and no call returns. May be NULL (default). It and its context
  /// must stay until event_release is called, or else until the store is closed and its handle and those
  /// of its indexes are freed outside of callbacks (inside one, closing comes later: vicinal_store_free()).
  vicinal_event_callback on_event;
  void* event_context;
  /// Given event_context once, by any thread, when on_event will not be called any more; also when
  /// opening fails, but for a struct or a pointer that it refuses to read. Inside it no handle may be
  /// used but to free it. A forked child does not call it for its parent's stores. NULL (default): nothing is.
  vicinal_release event_release;
} vicinal_store_options;
VICINAL_API vicinal_status vicinal_store_options_init(vicinal_store_options* options, size_t size);

/// How a batch or a rebuild is done.
typedef struct vicinal_batch_options {
  size_t size;
  /// Threads to use, at most 4,096; 0 (default): the index's.
  uint32_t threads;
  uint32_t reserved;
  vicinal_progress_callback progress;  ///< may be NULL (default)
  void* progress_context;
} vicinal_batch_options;
VICINAL_API vicinal_status vicinal_batch_options_init(vicinal_batch_options* options, size_t size);

/// How a search is done. One struct serves any number of searches.
typedef struct vicinal_search_options {
  size_t size;
  /// Candidates kept during the walk, at most 100,000; at least k is used; 0 (default): what `recall`
  /// says, or the index's ef_search.
  size_t ef_search;
  /// Which labels may be returned: those for which this is true. NULL (default): all. It may call
  /// the index, and write to it; the search sees the moment at which it began.
  vicinal_label_predicate predicate;
  void* predicate_context;
  /// Which labels may be returned, as a set; with a predicate, both count. NULL (default): all.
  /// Borrowed for the length of the call.
  const vicinal_label_set* labels;
  /// 1: compares with every live vector instead of walking the graph: exact, O(n). Default 0.
  uint32_t exact;
  uint32_t reserved;
  /// In place of ef_search: the share of the k nearest that is to be found on average, 0 to 1; 0
  /// (default): not said, 1: exact. See vicinal_index_expected_recall(); the first search that says
  /// a recall waits for what that measures, unless it has one of the two limits below.
  double recall;
  /// Most distances computed before the search stops with the best met until then, and a step more, and
  /// those that put the k returned in order; 0 (default): no limit. vicinal_search_counters::stopped says that it did.
  uint64_t max_distances;
  /// Microseconds after which the call stops in the same way; 0 (default): no limit.
  uint64_t timeout_us;
} vicinal_search_options;
VICINAL_API vicinal_status vicinal_search_options_init(vicinal_search_options* options,
                                                       size_t size);

/// How vectors within a distance are looked for.
typedef struct vicinal_radius_options {
  size_t size;
  /// Most hits returned, the nearest; vicinal_hits_cut() says when there were more. 0 (default): no
  /// limit.
  size_t max_hits;
  /// As in vicinal_search_options: how far the walk looks before it follows what lies within.
  size_t ef_search;
  vicinal_label_predicate predicate;  ///< this and the next three as in vicinal_search_options
  void* predicate_context;
  const vicinal_label_set* labels;
  uint32_t exact;
  uint32_t reserved;
} vicinal_radius_options;
VICINAL_API vicinal_status vicinal_radius_options_init(vicinal_radius_options* options,
                                                       size_t size);

/// How much a repair does.
typedef struct vicinal_repair_options {
  size_t size;
  /// Most nodes looked at in one call, a search for new links counting as eight; 0 (default)
  /// finishes the pass, waiting for searches that began before it.
  uint64_t slice;
  vicinal_progress_callback progress;  ///< may be NULL (default)
  void* progress_context;
} vicinal_repair_options;
VICINAL_API vicinal_status vicinal_repair_options_init(vicinal_repair_options* options,
                                                       size_t size);

/// What a validation looks at.
typedef struct vicinal_validate_options {
  size_t size;
  /// 1: also verifies every stored checksum, and that stored vectors equal those in memory. Default
  /// 0.
  uint32_t deep;
  uint32_t reserved;
  /// Most problems described in words; all are counted. Default 20.
  size_t max_messages;
  /// Told the words, a problem each, when all has been looked at. May be NULL (default).
  vicinal_text_visitor on_message;
  void* message_context;
  vicinal_progress_callback progress;  ///< may be NULL (default)
  void* progress_context;
} vicinal_validate_options;
VICINAL_API vicinal_status vicinal_validate_options_init(vicinal_validate_options* options,
                                                         size_t size);

/// How recall is measured.
typedef struct vicinal_recall_options {
  size_t size;
  /// Live vectors drawn by seed and used as queries; each one's own label is left out. Default
  /// 1000.
  size_t samples;
  size_t k;          ///< default 10
  size_t ef_search;  ///< 0 (default): the index's
  uint64_t seed;     ///< default 1
  uint32_t threads;  ///< at most 4,096; 0 (default): the index's
  uint32_t reserved;
} vicinal_recall_options;
VICINAL_API vicinal_status vicinal_recall_options_init(vicinal_recall_options* options,
                                                       size_t size);

#ifdef __cplusplus
}
#endif
