// Lines of a text file, one at a time, with bounded memory.
//
// Ownership: owns its file.
// Threads: one at a time. Invariant: a line longer than `max_line_bytes` is an error before it is
// held, so a file without newlines cannot exhaust memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/matrix/input_file.h"
#include "vicinal/status.h"

namespace vicinal::matrix {

class LineReader {
 public:
  LineReader(InputFile file, std::size_t max_line_bytes);

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

  InputFile file_;
  std::size_t max_line_bytes_;
  std::vector<char> block_;
  std::size_t block_size_ = 0;
  std::size_t position_ = 0;  ///< in the block
  std::uint64_t block_offset_ = 0;
  std::uint64_t line_number_ = 0;
};

}  // namespace vicinal::matrix
