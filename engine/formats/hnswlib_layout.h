// The layout of hnswlib's files: reading and checking what their headers say.
//
// What: a graph is a header of 96 bytes, `rows` rows (the links of level 0, the vector, the label),
// then for every row the byte length of its upper links (uint32) and those links. A brute-force
// index is a header of 24 bytes and room for `capacity` rows (the vector, the label). Numbers are
// little-endian, sizes and labels of 64 bits.
// Ownership: none.
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vicinal/hnswlib.h"
#include "vicinal/status.h"

namespace vicinal::formats {

/// What a header says, after it was held against the file's size (HF1).
struct HnswlibHeader {
  HnswlibInfo info;  ///< without deleted and metric, which only the rows tell
  internal::HnswlibLayout layout;
  std::int32_t max_level = -1;    ///< of a graph
  std::uint64_t level_bytes = 0;  ///< of a graph: the links of a row on one upper level
};

/// Errors: as HnswlibFile::open().
Result<HnswlibHeader> read_header(const HnswlibSource& source, const HnswlibOptions& options);

/// Walks over the links of the upper levels: every length fits, and the last ends with the file.
/// Errors: kCorruption; what the source answers.
Status check_links(const HnswlibSource& source, const HnswlibHeader& header);

/// kCorruption "name: byte 16: message".
Status malformed(const HnswlibSource& source, std::uint64_t offset, const std::string& message);

/// A file through a window of at most 1 MiB, for reading it from front to back.
class Window {
 public:
  explicit Window(const HnswlibSource& source) : source_(source) {}

  /// Sets `at` to `bytes` bytes of the file from `offset` on, valid until the next call.
  /// Errors: kCorruption  the file ends before; what the source answers.
  Status bytes(std::uint64_t offset, std::size_t bytes, const std::byte*& at);

 private:
  const HnswlibSource& source_;
  std::vector<std::byte> held_;
  std::uint64_t from_ = 0;
};

}  // namespace vicinal::formats
