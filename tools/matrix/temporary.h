// A temporary file without a name, in TMPDIR, else /var/tmp.
//
// Ownership: owns its descriptor until release().
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <string>

#include "vicinal/status.h"

namespace vicinal::matrix {

class Temporary {
 public:
  Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary();

  /// kIoError with the folder's name once something failed; kCancelled once the user asked to stop.
  const Status& status() const { return status_; }
  int descriptor() const { return descriptor_; }
  /// Gives the descriptor away.
  int release();

  /// Appends; false when status() says why not.
  bool write(const void* from, std::size_t bytes);

 private:
  void failed(int error);

  std::string folder_;
  int descriptor_ = -1;
  Status status_;
};

}  // namespace vicinal::matrix
