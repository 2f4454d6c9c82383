// A file opened for reading: its size, reads by offset, and errors that name the place.
//
// What: pipes, standard input ("-") and gzip are read to their end at open (unpack.h); sizes and
// offsets are those of what was packed.
// Ownership: owns the descriptor; moves, does not copy.
// Threads: read_at() from any thread, it keeps no position. Invariant: size() is the size at open;
// a file that shrinks later gives an error, not a short answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/matrix/unpack.h"
#include "vicinal/status.h"

namespace vicinal::matrix {

class InputFile {
 public:
  /// "-" is standard input. A name that ends in .gz is gzip, another one by `packing`.
  /// Errors: kNotFound; kIoError (no permission, no room for a temporary file); kInvalidArgument
  ///         (a folder or a device; damaged gzip; standard input a second time).
  static Result<InputFile> open(const std::string& path, Packing packing = Packing::kByContent);

  /// A file that is open already; owns `descriptor` from here on. `name` is for messages.
  /// Errors: kIoError.
  static Result<InputFile> take(int descriptor, const std::string& name);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }

  /// Reads exactly `bytes` bytes at `offset`.
  /// Errors: kInvalidArgument (the file ends before, with both offsets), kIoError.
  Status read_at(std::uint64_t offset, void* to, std::size_t bytes) const;

  /// kInvalidArgument "path: byte 8: message".
  Status malformed(std::uint64_t offset, std::string_view message) const;

 private:
  InputFile(std::string path, int descriptor, std::uint64_t size);

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace vicinal::matrix
