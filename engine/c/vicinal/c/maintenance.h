// Keeping an index well: checkpoint, sync, rebuild, repair, validate, recall.
#pragma once

#include <vicinal/c/options.h>
#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Writes what changed since the last checkpoint, so that reopening need not replay it. Readers and
/// writers go on. No effect in memory. `progress` may be NULL.
/// Errors: VICINAL_CANCELLED; VICINAL_BUSY; VICINAL_IO_ERROR, VICINAL_FULL; VICINAL_READ_ONLY,
///         VICINAL_CLOSED.
VICINAL_API vicinal_status vicinal_index_checkpoint(vicinal_index* index,
                                                    vicinal_progress_callback progress,
                                                    void* progress_context);

/// Makes every acknowledged write survive a power cut, whatever the durability.
VICINAL_API vicinal_status vicinal_index_sync(vicinal_index* index);

/// Builds a fresh graph of the live vectors beside the old one and swaps it in; tombstones are gone
/// afterwards. Readers and writers go on. `options` may be NULL.
/// Errors: VICINAL_BUSY (another rebuild runs), VICINAL_CANCELLED (nothing changed).
VICINAL_API vicinal_status vicinal_index_rebuild(vicinal_index* index,
                                                 const vicinal_batch_options* options);

/// What a repair did.
typedef struct vicinal_repair_result {
  size_t size;
  uint64_t nodes_examined;
  uint64_t nodes_relinked;
  uint64_t slots_freed;
  uint64_t unreachable_mended;  ///< nodes that hung loose, for which the graph was rebuilt
  uint32_t finished;            ///< the pass is complete: nothing dead is linked to any more
  uint32_t waiting;             ///< searches of before must end first: call again
} vicinal_repair_result;
VICINAL_API vicinal_status vicinal_repair_result_init(vicinal_repair_result* result, size_t size);

/// Unlinks tombstones and frees their slots, and mends what a validation would report, in bounded
/// slices beside readers and writers. `options` and `result` may be NULL.
/// Errors: VICINAL_CANCELLED  leaves a sound index; call again to go on.
///         VICINAL_BUSY       see Callbacks in vicinal/c/index.h.
VICINAL_API vicinal_status vicinal_index_repair(vicinal_index* index,
                                                const vicinal_repair_options* options,
                                                vicinal_repair_result* result);

/// What a validation found. `problems` is 0 for a sound index.
typedef struct vicinal_validate_report {
  size_t size;
  uint64_t problems;
  uint64_t live;
  uint64_t tombstones;
  uint64_t unreachable;         ///< live nodes not reached on a level they have
  uint64_t dead_links;          ///< links to tombstones: not a problem, repair's work
  uint64_t invalid_links;       ///< to free slots, to levels a node does not have, or to itself
  uint64_t duplicate_links;     ///< an id twice in one list
  uint64_t overfull_lists;      ///< more links than a level allows
  uint64_t tree_errors;         ///< parents and children that do not agree
  uint64_t asymmetric_links;    ///< links without a link back: allowed
  uint64_t entry_point_errors;  ///< the entry point is not a node of the highest level
  uint64_t label_errors;        ///< labels that do not lead to their node and back
  uint64_t record_errors;       ///< deep: stored records that fail their checksum or disagree
  /// Level 0: nodes with i links; the last entry has those with that many or more.
  uint64_t degree_histogram[VICINAL_DEGREES];
  uint64_t nodes_by_level[VICINAL_MAX_LEVELS];  ///< nodes whose highest level is i
} vicinal_validate_report;
VICINAL_API vicinal_status vicinal_validate_report_init(vicinal_validate_report* report,
                                                        size_t size);

/// Walks the graph from the entry point on every level and checks the invariants. Read-only; meant
/// for a quiet index: writers may go on, but what they change meanwhile can be reported as a
/// problem. `options` and `report` may be NULL. A problem found is no failure of the call.
/// Errors: VICINAL_CANCELLED, VICINAL_CLOSED.
VICINAL_API vicinal_status vicinal_index_validate(const vicinal_index* index,
                                                  const vicinal_validate_options* options,
                                                  vicinal_validate_report* report);

/// Writes recall@k of searches against exact search on a sample of live vectors, 0 to 1, to
/// `*recall`; 1 when the index is empty. `options` may be NULL.
VICINAL_API vicinal_status vicinal_index_recall(const vicinal_index* index,
                                                const vicinal_recall_options* options,
                                                double* recall);

#ifdef __cplusplus
}
#endif
