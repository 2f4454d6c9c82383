// Conversion: what the power's going leaves of a store of format 1 while it is converted.
//
// What: the store that is the old one or the new one, whole, at every moment: who converts an image
// again, or opens it where convert() had returned, finds every vector of every index, sound.
// Ownership: the reference is the conversion's.
// Threads: one.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tests/power/device.h"
#include "tests/power/verdicts.h"
#include "vicinal/store.h"

namespace vicinal::testing {

class Conversion {
 public:
  /// Makes the store below the root; before the device is.
  void lay(const std::string& root) const;
  /// Converts it, seen by the device. The store that it made is what images are held against.
  Status run(Device& device);

  /// Of the image in `folder`, made of the device's log up to `position`. `go_on`: also writes to it.
  Outcome judge(const std::string& folder, std::size_t position, bool go_on) const;

 private:
  using Rows = std::map<std::string, std::map<Label, std::vector<float>>>;  ///< by index

  static Result<Rows> read(Store& store);
  static Status write_and_read(Store store, const std::string& path, Rows rows);

  std::size_t acknowledged_ = 0;
  Rows rows_;
};

}  // namespace vicinal::testing
