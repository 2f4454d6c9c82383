// vicinal_hnswlib: an index that hnswlib saved, read row by row so that it can be stored here.
//
// What: the files of hnswlib 0.3 to 0.8 on 64-bit machines, of its graph (Python's Index) and of
// its brute-force index (BFIndex). Labels, vectors and deleted marks are read; an index here makes
// its own links. The file does not say its space: whoever made it knows.
// Threads: every function but vicinal_hnswlib_free() from any thread beside any other, on one
// handle.
#pragma once

#include <vicinal/c/status.h>
#include <vicinal/c/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A file of hnswlib's, opened.
typedef struct vicinal_hnswlib vicinal_hnswlib;

/// What is known of a file once it is open.
typedef struct vicinal_hnswlib_info {
  size_t size;
  uint32_t dimension;
  uint32_t brute_force;  ///< 1: no links, no deleted marks; M and ef_construction are 0
  uint64_t rows;         ///< stored ones, the deleted among them
  uint64_t deleted;      ///< rows with hnswlib's deleted mark
  uint64_t capacity;     ///< hnswlib's max_elements, never below rows
  uint64_t M;
  uint64_t ef_construction;
  uint32_t element_bytes;  ///< of a component: 4 float32, 1 uint8
  uint32_t normalized;     ///< 1: rows that are not deleted exist, and each has norm 1 (to 1e-4)
} vicinal_hnswlib_info;
VICINAL_API vicinal_status vicinal_hnswlib_info_init(vicinal_hnswlib_info* info, size_t size);

/// Opens the file at `path` and writes its handle to `*file`. `dimension`: components of a row, 1
/// to 65,536; 0: a row's bytes are float32.
/// Errors: VICINAL_NOT_FOUND         no such file.
///         VICINAL_IO_ERROR          the system refused to open or read it.
///         VICINAL_INVALID_ARGUMENT  not a regular file; `dimension` above 65,536, or not that of
///                                   the file.
///         VICINAL_CORRUPTION        no hnswlib file, cut, or malformed: "path: byte 16: ...".
/// Cost: reads the file once, through a buffer of at most 1 MiB; nothing is allocated from what it
/// says before it is held against its size.
VICINAL_API vicinal_status vicinal_hnswlib_open(const char* path, uint32_t dimension,
                                                vicinal_hnswlib** file);

/// Writes what is known of the file to `*info`, which must have been initialised.
VICINAL_API vicinal_status vicinal_hnswlib_get_info(const vicinal_hnswlib* file,
                                                    vicinal_hnswlib_info* info);

/// Writes the `count` rows from `first` on, deleted ones among them, fewer where the file ends, and
/// how many to `*read`. uint8 components become the float32 of the same value.
/// Shapes: labels[count], vectors[count * dimension], deleted[count], 1 with hnswlib's mark, else
///         0.
/// Errors: VICINAL_INVALID_ARGUMENT  `dimension` is not the file's; VICINAL_IO_ERROR
/// Cost: 4 * dimension + 9 bytes a row, and a buffer of at most 1 MiB or a row.
VICINAL_API vicinal_status vicinal_hnswlib_read(const vicinal_hnswlib* file, uint64_t first,
                                                size_t count, size_t dimension, uint64_t* labels,
                                                float* vectors, uint8_t* deleted, size_t* read);

/// Frees the handle; NULL is nothing. No other thread may be inside a function on this handle.
VICINAL_API void vicinal_hnswlib_free(vicinal_hnswlib* file);

#ifdef __cplusplus
}
#endif
