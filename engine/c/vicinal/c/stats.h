// The numbers of an index: as it is in memory, and as its store's file says.
#pragma once

#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A snapshot of an index's numbers; each is right for some moment during the call.
/// vicinal_index_get_options() has its options.
typedef struct vicinal_stats {
  size_t size;
  char name[VICINAL_NAME_BYTES];      ///< "" for an index in memory
  char target[VICINAL_TARGET_BYTES];  ///< the CPU target of the kernels in use
  uint64_t live;
  uint64_t tombstones;
  uint64_t free_slots;                          ///< node slots waiting for reuse
  uint64_t levels;                              ///< levels in use; 0 when empty
  uint64_t nodes_by_level[VICINAL_MAX_LEVELS];  ///< nodes whose highest level is i
  uint64_t links_by_level[VICINAL_MAX_LEVELS];  ///< links in all lists of level i

  uint64_t bytes_vectors;  ///< stored vectors in memory
  uint64_t bytes_codes;    ///< 0 where the stored vectors are traversed
  uint64_t bytes_links;
  uint64_t bytes_nodes;   ///< per-node fields
  uint64_t bytes_labels;  ///< label map
  uint64_t bytes_scratch;
  uint64_t bytes_in_memory;  ///< the six above together
  uint64_t bytes_disk;       ///< the store's file; all indexes together

  uint64_t wider_walks;     ///< searches that went on wider because too few nodes counted
  uint64_t fallback_scans;  ///< searches that compared with all that is live instead

  uint64_t journal_entries;  ///< operations since the last checkpoint
  uint64_t journal_bytes;
  double checkpoint_age_s;  ///< seconds since the last of this process; -1 for none
  uint64_t salvaged;        ///< damaged records set aside at open
  uint64_t repaired_links;  ///< damaged link records mended at open
  double open_seconds;
  uint64_t background_failures;                ///< of the store's own thread, in a row until now
  double background_error_age_s;               ///< seconds since the last; -1 for none
  char background_error[VICINAL_ERROR_BYTES];  ///< the last of them in this process; "": none
  uint64_t flat;  ///< 1: fewer vectors than are worth a graph, about 500; searches compare with all
  uint64_t sketches;  ///< 1: searches go by two bits a component: many dimensions only
} vicinal_stats;
VICINAL_API vicinal_status vicinal_stats_init(vicinal_stats* stats, size_t size);

/// Writes the index's numbers to `stats`.
VICINAL_API vicinal_status vicinal_index_stats(const vicinal_index* index, vicinal_stats* stats);

/// What a store's file says about an index, learnt without loading it.
typedef struct vicinal_stored_stats {
  size_t size;
  char name[VICINAL_NAME_BYTES];
  uint64_t live;
  uint64_t tombstones;
  uint64_t free_slots;                          ///< node slots waiting for reuse
  uint64_t nodes_by_level[VICINAL_MAX_LEVELS];  ///< nodes whose highest level is i

  uint64_t checkpoints;      ///< completed since the index was made
  uint64_t journal_entries;  ///< operations since the last of them
  uint64_t journal_bytes;
  uint64_t rows_to_link;  ///< rows of the journal: every opening links them anew

  uint64_t bytes_vectors;  ///< on disk, of this index
  uint64_t bytes_links;
  uint64_t bytes_nodes;
  uint64_t bytes_disk;  ///< the store's file; all indexes together
} vicinal_stored_stats;
VICINAL_API vicinal_status vicinal_stored_stats_init(vicinal_stored_stats* stats, size_t size);

/// What the file says about the index called `name`, open or not, without loading it. `options`
/// (may be NULL) gets the stored options; the others as they are by default.
/// Threads: any; waits for whoever opens that index.
/// Errors: VICINAL_NOT_FOUND
///         VICINAL_CORRUPTION  a record that had to be read is damaged.
///         VICINAL_IO_ERROR, VICINAL_CLOSED
/// Cost: reads the node blocks and the journal; of vectors and links only how long their records
/// are. Holds a byte a node.
VICINAL_API vicinal_status vicinal_store_stored_stats(const vicinal_store* store, const char* name,
                                                      vicinal_stored_stats* stats,
                                                      vicinal_index_options* options);

#ifdef __cplusplus
}
#endif
