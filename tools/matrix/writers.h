// Writers of vector files: fvecs, ivecs and jsonl, to a file or to standard output.
//
// Ownership: an Output owns the file it opened, never standard output.
// Threads: one at a time.
// Invariant: close() answers OK only when every byte was taken by the system.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::matrix {

class Output {
 public:
  /// Opens `path` for writing; what it has stays until the first write, or close(). An empty path or "-" is
  /// standard output.
  static Result<Output> open(const std::string& path);

  Output(Output&& other) noexcept;
  Output& operator=(Output&&) = delete;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  Status write(const void* data, std::size_t bytes);
  Status write(std::string_view text) { return write(text.data(), text.size()); }
  /// Flushes and closes.
  /// Errors: kIoError (disk full, closed pipe).
  Status close();

 private:
  Output(std::string name, std::FILE* file, bool owned);
  Status failed(int error) const;
  /// Empties a file.
  Status begin();

  std::string name_;
  std::FILE* file_;
  bool owned_;
  bool begun_ = false;
};

/// One row of fvecs: the dimension as int32, then the components.
Status write_fvecs_row(Output& out, std::span<const float> vector);
/// One row of ivecs.
Status write_ivecs_row(Output& out, std::span<const std::int32_t> values);
/// {"label":7,"vector":[0.5,1]} and a newline; numbers read back to the same bits.
Status write_jsonl_row(Output& out, Label label, std::span<const float> vector);

/// Appends "[0.5,1]" to `text`.
void append_json_vector(std::string& text, std::span<const float> vector);

}  // namespace vicinal::matrix
