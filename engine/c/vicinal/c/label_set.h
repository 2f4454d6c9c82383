// vicinal_label_set: a set of labels, prepared once and used by any number of searches.
//
// What: an immutable value. It holds a finite set of labels, compressed, and whether that set or
// all labels but those are meant. Nothing in it belongs to an index: labels need not be live.
// Ownership: the caller's, freed by vicinal_label_set_free(); a search borrows it.
// Threads: every function from any thread, on one set.
// Memory: 8 KiB at most for 65,536 values that share their upper 48 bits, next to nothing for
// unbroken ranges, 9 to 10 bytes a label when few share them.
#pragma once

#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The set of the `count` labels at `labels`: in any order, repeats allowed; `count` 0 is the empty
/// set. The handle is written to `*set`.
/// Cost: O(n log n), O(n) when ascending already; 8 bytes a label meanwhile.
VICINAL_API vicinal_status vicinal_label_set_create(const uint64_t* labels, size_t count,
                                                    vicinal_label_set** set);
/// The set of every label there can be.
VICINAL_API vicinal_status vicinal_label_set_all(vicinal_label_set** set);
/// Frees the set; NULL is nothing.
VICINAL_API void vicinal_label_set_free(vicinal_label_set* set);

/// The labels in both; in at least one; in `a` and not in `b`: a new set each time.
/// Cost: O(a.stored + b.stored) at worst; where both are dense, 64 labels at a time.
VICINAL_API vicinal_status vicinal_label_set_and(const vicinal_label_set* a,
                                                 const vicinal_label_set* b,
                                                 vicinal_label_set** set);
VICINAL_API vicinal_status vicinal_label_set_or(const vicinal_label_set* a,
                                                const vicinal_label_set* b,
                                                vicinal_label_set** set);
VICINAL_API vicinal_status vicinal_label_set_minus(const vicinal_label_set* a,
                                                   const vicinal_label_set* b,
                                                   vicinal_label_set** set);
/// Every label that is not in `a`: a new set, which shares what `a` stores.
/// Cost: O(1).
VICINAL_API vicinal_status vicinal_label_set_not(const vicinal_label_set* a,
                                                 vicinal_label_set** set);

/// Whether both have the same labels, however they were made.
/// Cost: O(stored) at worst.
VICINAL_API vicinal_status vicinal_label_set_equal(const vicinal_label_set* a,
                                                   const vicinal_label_set* b, bool* equal);
/// Whether `label` is in the set. Takes no lock and allocates nothing.
/// Cost: some tens of nanoseconds; at worst O(log n).
VICINAL_API vicinal_status vicinal_label_set_contains(const vicinal_label_set* set, uint64_t label,
                                                      bool* contained);
/// Labels in the set; 2^64 - 1 for all, which has one more.
/// Cost: O(1).
VICINAL_API vicinal_status vicinal_label_set_size(const vicinal_label_set* set, uint64_t* size);
/// Whether the set is every label but the stored ones.
VICINAL_API vicinal_status vicinal_label_set_inverted(const vicinal_label_set* set, bool* inverted);
/// Labels stored: those in the set or, when it is inverted, those that are not.
/// Cost: O(1).
VICINAL_API vicinal_status vicinal_label_set_stored(const vicinal_label_set* set, uint64_t* stored);
/// Writes the first `capacity` of the stored labels, ascending, to `labels`, and how many it wrote
/// to `*count`. vicinal_label_set_stored() says how many there are.
/// Cost: O(capacity), a few nanoseconds each.
VICINAL_API vicinal_status vicinal_label_set_copy_stored(const vicinal_label_set* set,
                                                         uint64_t* labels, size_t capacity,
                                                         size_t* count);
/// Calls `visit` for the stored labels, ascending, until it returns false.
/// Cost: O(stored), a few nanoseconds and the call for each. Allocates nothing.
VICINAL_API vicinal_status vicinal_label_set_for_each_stored(const vicinal_label_set* set,
                                                             vicinal_label_visitor visit,
                                                             void* context);
/// Heap bytes held, about; sets that share hold the same bytes together.
VICINAL_API vicinal_status vicinal_label_set_bytes(const vicinal_label_set* set, uint64_t* bytes);

#ifdef __cplusplus
}
#endif
