// Vicinal's C ABI: everything that the C++ API does, for C11 and for every language that calls C.
//
// Link libvicinal.so.0 (or the static library, which holds the same functions). Nothing of C++
// crosses this border: no type, no exception, no memory that one side allocates and the other
// frees.
//
// Status: a function that can fail returns a vicinal_status (vicinal/c/status.h), VICINAL_OK when
// all went well. vicinal_last_message() has the words and the numbers. What a failed call would
// have written is left alone, unless its documentation says more; a handle that it would have made
// is NULL. A pointer that must not be NULL and is gives VICINAL_INVALID_ARGUMENT naming the
// argument. Two codes exist here only and can come from every function: VICINAL_OUT_OF_MEMORY,
// with what was there unchanged, and VICINAL_INTERNAL, a fault of the library's.
//
// Handles: vicinal_store, vicinal_index, vicinal_label_set, vicinal_hits, vicinal_paused_writes and
// vicinal_hnswlib are opaque. Each is freed once, by its ..._free(), which takes NULL, in any order:
// an index whose store is closed or freed answers VICINAL_CLOSED until it is freed itself.
//
// Structs: options and results begin with `size`. `..._init(&x, sizeof x)` sets it and the
// defaults; after that set what should differ. So a program and a library of different releases
// go together: fields that a smaller struct lacks have their defaults, or are not written; those
// of a larger one that this library does not know must be 0 in options, or the call is refused,
// and are set to 0 in results.
// Where options may be NULL the defaults are meant; where a result may be NULL it is not wanted.
// Fields called `reserved` are 0. Flags are uint32_t, 0 or 1. Structs that the library hands to a
// callback are its own, for the length of that call; `size` says which fields they have.
//
// Buffers are the caller's, and are not needed after the call. Vectors are `dimension` float32
// components; matrices are row-major, a vector per row, without gaps. `dimension` is told with
// every vector, so that one which is too short is refused, not read beyond. A buffer of which
// nothing is read or written (zero rows, k = 0) may be NULL.
//
// Callbacks are C functions with a `context` of the caller's, handed through. They must return
// (no longjmp, no exception). They may call the library; what would have to wait for the call that
// they belong to answers VICINAL_BUSY (see vicinal/c/index.h).
//
// Threads: every function may be called from any thread beside any other, on one handle. Only to
// free a handle nobody else may be using it.
#pragma once

#include <vicinal/c/cpu.h>
#include <vicinal/c/event.h>
#include <vicinal/c/hnswlib.h>
#include <vicinal/c/index.h>
#include <vicinal/c/label_set.h>
#include <vicinal/c/maintenance.h>
#include <vicinal/c/options.h>
#include <vicinal/c/search.h>
#include <vicinal/c/stats.h>
#include <vicinal/c/status.h>
#include <vicinal/c/store.h>
#include <vicinal/c/stream.h>
#include <vicinal/c/types.h>
