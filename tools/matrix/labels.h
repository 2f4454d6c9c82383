// Labels for rows that carry none: counted, or read beside the rows from a file.
//
// What: a text file with one unsigned number a line, or a npy vector of whole numbers that are not
// negative; plain or gzip, "-" being standard input.
// Ownership: owns its file.
// Threads: one at a time. Invariant: count() is exact and was checked against the file's contents
// (text) or size (npy) before the first label is given out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/matrix/elements.h"
#include "tools/matrix/input_file.h"
#include "tools/matrix/line_reader.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::matrix {

class LabelSource {
 public:
  /// first, first + 1, ...
  static LabelSource counted(Label first);
  /// A npy file by its ending or its first bytes, else text.
  static Result<LabelSource> from_file(const std::string& path);

  /// Labels in the file; nothing when counted.
  std::optional<std::uint64_t> count() const { return count_; }

  /// Fills `labels` with the next ones.
  /// Errors: kInvalidArgument  the file has no more, or counting would pass 2^64 - 1.
  Status next(std::span<Label> labels);

 private:
  LabelSource() = default;
  Status open_text(InputFile file);
  Status open_npy(InputFile file);
  Result<bool> next_text(Label& label);
  Status next_npy(std::span<Label> labels);

  std::optional<std::uint64_t> count_;
  std::uint64_t given_ = 0;
  Label first_ = 0;
  std::unique_ptr<LineReader> lines_;
  std::unique_ptr<InputFile> npy_;
  std::uint64_t npy_offset_ = 0;
  Element npy_element_;
  std::string line_;
};

/// Every label of a file.
/// Errors: as from_file() and next().
Result<std::vector<Label>> load_labels(const std::string& path);

}  // namespace vicinal::matrix
