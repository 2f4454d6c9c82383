// Lines of a text file, one at a time, with bounded memory. A byte-order mark before the first is
// passed over.
//
// Ownership: owns its file.
// Threads: one at a time. Invariant: a line longer than `max_line_bytes` is an error before it is
// held, so a file without newlines cannot exhaust memory. Of lines of JSON the long texts do not
// count: they are left empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/matrix/input_file.h"
#include "tools/matrix/text_cutter.h"
#include "vicinal/status.h"

namespace vicinal::matrix {

class LineReader {
 public:
  enum class Lines : std::uint8_t { kPlain, kJson };

  LineReader(InputFile file, std::size_t max_line_bytes, Lines lines = Lines::kPlain);

  /// Reads the next line that holds more than white space into `line`, without its newline. False
  /// at the end of the file.
  /// Errors: kInvalidArgument (too long), kIoError.
  Result<bool> next(std::string& line);

  /// The number, from 1, of the line that next() returned last.
  std::uint64_t line_number() const { return line_number_; }
  /// Bytes of the file that next() has passed.
  std::uint64_t offset() const { return block_offset_ + position_; }
  const InputFile& file() const { return file_; }

  /// Goes back to the start of the file.
  void rewind();

  /// kInvalidArgument "path: line 8: message", for the line that next() returned last.
  Status malformed(std::string_view message) const;

 private:
  /// Loads the block that follows the current one. False at the end.
  Result<bool> refill();
  Result<bool> next_raw(std::string& line);
  /// Adds a piece to the line; from the bound on, of JSON, without long texts.
  Status append(std::string_view piece, std::string& line);
  /// Takes the mark from the first line.
  Status take_mark(std::string& line) const;

  InputFile file_;
  std::size_t max_line_bytes_;
  Lines lines_;
  TextCutter cutter_;
  std::vector<char> block_;
  std::size_t block_size_ = 0;
  std::size_t position_ = 0;  ///< in the block
  std::uint64_t block_offset_ = 0;
  std::uint64_t line_number_ = 0;
};

}  // namespace vicinal::matrix
