// Vector files: rows of equal dimension, read in bounded batches as float32.
//
// What: fvecs, bvecs, fbin, u8bin, i8bin, npy (2-D, C order, any real numbers), npz and HDF5 (one
// such array of several), jsonl (a line {"label": 7, "vector": [..]}, label optional), and the saved
// indexes of hnswlib and faiss (flat), told apart by the file's ending or by name; each plain or
// gzip, from a file, a pipe or standard input.
// Ownership: a Reader owns its file, a Batch its rows.
// Threads: a Reader is used by one thread at a time.
// Invariants (tests/tools/matrix_test.cc):
//   X1  What a header declares is compared with the file's size before anything is allocated.
//   X2  A dimension is 1 to 65,536, the same in every row.
//   X3  Every error names the file, the byte or line, and the values that were wrong.
//   X4  NaN and infinity pass through: the engine refuses them, naming the row. A finite number out
//       of float32's range does not become one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::matrix {

inline constexpr std::uint64_t kMaxDimension = 65536;

/// The ends of file names that open() knows, for help texts.
inline constexpr const char* kFormatNames =
    ".fvecs .bvecs .fbin .u8bin .i8bin .npy .npz .jsonl .hdf5 .h5 .hnswlib .faiss";

/// Whether open() takes `word` for a format: one of the ends without its point; .gz may follow.
bool known_format(const std::string& word);

/// What is wanted of a file, beside its path.
struct Wanted {
  std::string format;       ///< an ending without its point; empty: the file's own
  std::string array;        ///< of npz and HDF5, the name of an array; empty: the usual or only one
  std::string usual_array;  ///< the one that is meant where nobody says so; may be empty
  std::uint32_t dimension = 0;  ///< 0: the file's; of hnswlib it says what a component is
};

/// What a file says of the index or the data set that its rows are from. Most say nothing.
struct Origin {
  std::optional<Metric> metric;
  std::string no_metric;  ///< why a file of an index has no metric, in words; empty: it is none
  std::uint64_t M = 0;    ///< 0: not said
  std::uint64_t ef_construction = 0;
};

/// Consecutive rows of a file. Kept between calls so that its memory is reused.
struct Batch {
  std::uint64_t first_row = 0;  ///< number of the first row in the file, from 0
  std::size_t rows = 0;
  std::vector<float> values;  ///< rows * dimension
  std::vector<Label> labels;  ///< one per row when the file carries labels, else empty
};

class Reader {
 public:
  /// Opens by `wanted.format`, or when that is empty by the file's ending, and checks what the
  /// header declares. "-" is standard input, which has no ending.
  /// Errors: kNotFound, kIoError; kInvalidArgument  unknown ending, empty or malformed file, no such
  ///         array, another dimension; kCorruption  a malformed index of hnswlib.
  static Result<std::unique_ptr<Reader>> open(const std::string& path, const Wanted& wanted = {});

  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  std::uint32_t dimension() const { return dimension_; }
  std::uint64_t rows() const { return rows_; }
  const Origin& origin() const { return origin_; }
  /// True when every row carries its label (jsonl, hnswlib, faiss with an IDMap).
  bool has_labels() const { return has_labels_; }
  const std::string& path() const { return path_; }
  /// What is done to the file's numbers or rows, in words; empty when all are taken as they stand,
  /// or the format's name says it.
  const std::string& note() const { return note_; }

  /// Replaces `batch` by the next rows, at most `max_rows`; none at the end of the file. On an
  /// error the contents of `batch` are unspecified and the reader is of no further use.
  virtual Status read(std::size_t max_rows, Batch& batch) = 0;

  /// Where `row` of the batch read last stands: "row 12 at byte 6160", "row 12 at line 13".
  virtual std::string locate(std::uint64_t row) const = 0;

 protected:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  std::string path_;
  std::string note_;
  Origin origin_;
  std::uint32_t dimension_ = 0;
  std::uint64_t rows_ = 0;
  bool has_labels_ = false;
};

/// A whole file in memory, rows one after the other.
struct Matrix {
  std::uint64_t rows = 0;
  std::uint32_t dimension = 0;
  std::vector<float> values;
  std::string note;  ///< Reader::note()

  std::span<const float> row(std::uint64_t i) const {
    return {values.data() + i * dimension, dimension};
  }
  std::span<const float> range(std::uint64_t first, std::uint64_t count) const {
    return {values.data() + first * dimension, count * dimension};
  }
};

/// Reads the first `max_rows` rows of a file, or all of them. Holds them once. Its ending says the
/// format, so standard input is none.
Result<Matrix> load(const std::string& path, std::optional<std::uint64_t> max_rows = {});

/// Row numbers of nearest neighbours, a row per query.
struct Truth {
  std::uint64_t rows = 0;
  std::uint32_t columns = 0;
  std::vector<std::int32_t> values;

  std::span<const std::int32_t> row(std::uint64_t i) const {
    return {values.data() + i * columns, columns};
  }
};

/// Reads an ivecs file, or the array "neighbors" of an HDF5 file; "-" is standard input, ivecs.
/// Errors: as Reader::open(); also a row number that is negative or above 2^31 - 1.
Result<Truth> load_truth(const std::string& path);

/// The part of `truth`'s first k that is among the labels in `found`; truth's row numbers are
/// labels.
double overlap(std::span<const std::int32_t> truth, std::span<const Label> found, std::size_t k);

}  // namespace vicinal::matrix
