// HnswlibFile: reads an index that hnswlib saved, so that its rows can be stored here.
//
// What: the files of hnswlib 0.3 to 0.8 on 64-bit machines, which all have one layout: a graph
// (HierarchicalNSW, Python's Index.save_index) or a brute-force index (BruteforceSearch, BFIndex).
// Labels, vectors and deleted marks are read; links are passed over, as an index here makes its own.
// The file says neither its dimension nor its space. The dimension follows from the bytes of a row;
// of the space this much: where every vector has norm 1 the three rank alike, and cosine is meant.
//
// Ownership: a value; copies share what was opened.
// Threads: every const method from any thread, where the source's `read` may be called so. What
// was opened by path may.
// Invariants (tests/engine/hnswlib_test.cc):
//   HF1  A file is held whole against its size before anything is allocated from what it says: the
//        header, the place of every row, the length of every list of links, and its end.
//   HF2  What does not fit is refused with the byte where it stands and the values that were wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vicinal/requirements.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal {

/// Bytes of a file that is somewhere else than in a folder: in memory, unpacked, behind a network.
struct HnswlibSource {
  std::string name;        ///< stands for the path in messages
  std::uint64_t size = 0;  ///< bytes, all told

  /// Writes the `bytes` bytes from `offset` on to `to`; never asked for bytes beyond `size`. What it
  /// answers other than OK is answered by the call that needed the bytes.
  std::function<Status(std::uint64_t offset, void* to, std::size_t bytes)> read;
};

enum class HnswlibKind : std::uint8_t {
  kGraph,       ///< HierarchicalNSW
  kBruteForce,  ///< BruteforceSearch: no links, no deleted marks
};

/// What a component is in the file.
enum class HnswlibElement : std::uint8_t {
  kFloat32,  ///< L2Space, InnerProductSpace; all that hnswlib's Python module writes
  kUint8,    ///< L2SpaceI
};

struct HnswlibOptions {
  /// Components of a row, 1 to 65,536. 0: a row's bytes are float32. When given, a row must be that
  /// many float32 or that many uint8.
  std::uint32_t dimension = 0;
};

/// What is known of a file once it is open.
struct HnswlibInfo {
  HnswlibKind kind = HnswlibKind::kGraph;
  HnswlibElement element = HnswlibElement::kFloat32;
  std::uint32_t dimension = 0;
  std::uint64_t rows = 0;      ///< stored ones, the deleted among them
  std::uint64_t deleted = 0;   ///< rows with hnswlib's deleted mark
  std::uint64_t capacity = 0;  ///< hnswlib's max_elements, never below rows
  std::uint64_t M = 0;         ///< 0 of a brute-force index
  std::uint64_t ef_construction = 0;
  /// kCosine where rows that are not deleted exist and every one has norm 1 (to 1e-4), as hnswlib's
  /// Python module stores them in space cosine; else nothing, and whoever made the file knows.
  std::optional<Metric> metric;
};

/// Consecutive rows of a file. Kept between calls so that its memory is reused.
struct HnswlibRows {
  std::vector<float> values;          ///< dimension a row
  std::vector<Label> labels;          ///< one a row
  std::vector<std::uint8_t> deleted;  ///< one a row: 1 with hnswlib's mark, else 0
};

namespace internal {
/// Where the rows of a file stand, in bytes.
struct HnswlibLayout {
  std::uint64_t data_offset = 0;  ///< of row 0
  std::uint64_t row_bytes = 0;    ///< from one row to the next; its label is the last eight
  std::uint64_t vector_at = 0;    ///< in a row; before it are the links of level 0
  std::uint64_t vector_bytes = 0;
};
}  // namespace internal

class HnswlibFile {
 public:
  /// Opens the file at `path`.
  /// Errors: kNotFound         no such file.
  ///         kIoError          the system refused to open or read it.
  ///         kInvalidArgument  not a regular file; options.dimension above 65,536, or not that of
  ///                           the file.
  ///         kCorruption       no hnswlib file, cut, or malformed: "path: byte 16: ...".
  /// Cost: reads the file once, through a buffer of at most 1 MiB.
  static Result<HnswlibFile> open(const std::string& path, const HnswlibOptions& options = {});
  /// The same for bytes from elsewhere.
  /// Errors: as above, and whatever `source.read` answers. kInvalidArgument also without a `read`.
  static Result<HnswlibFile> open(HnswlibSource source, const HnswlibOptions& options = {});

  const HnswlibInfo& info() const { return info_; }

  /// Replaces `rows` by the `count` rows from `first` on, in the file's order, deleted ones among
  /// them; by fewer where the file ends, by none from info().rows on. uint8 components become the
  /// float32 of the same value. A label may come twice only in a file that hnswlib did not write.
  /// Nothing is checked of the values: upsert refuses what is not finite.
  /// Errors: kIoError, or what the source answers. The contents of `rows` are then unspecified.
  /// Cost: 4 * dimension + 9 bytes a row, and a buffer of at most 1 MiB or a row.
  Status read(std::uint64_t first, std::size_t count, HnswlibRows& rows) const;

  /// The byte at which the vector of `row` stands.
  std::uint64_t offset_of(std::uint64_t row) const;

 private:
  HnswlibFile(HnswlibSource source, const HnswlibInfo& info, const internal::HnswlibLayout& layout)
      : source_(std::move(source)), info_(info), layout_(layout) {}

  HnswlibSource source_;
  HnswlibInfo info_;
  internal::HnswlibLayout layout_;
};

}  // namespace vicinal
