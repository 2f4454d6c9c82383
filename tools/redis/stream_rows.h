// The live rows of an index, out of the bytes that Index::save() gives: persist/FORMAT.md, "An index as
// bytes", version 1.
//
// What: takes the pieces as a ByteSink gets them, each whole, and hands on label and row of every live
// node. For the child of a fork, where Index::get() might wait for a lock for ever.
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::redis {

class StreamRows {
 public:
  using Visit = std::function<void(Label, std::span<const std::byte>)>;

  explicit StreamRows(Visit visit) : visit_(std::move(visit)) {}

  /// The next bytes of the stream, of one or several whole pieces.
  /// Errors: kFormatVersion  they are not laid out so.
  Status take(std::span<const std::byte> bytes);
  /// Errors: kCorruption  there were not `live` of them.
  Status end(std::uint64_t live) const;

 private:
  Status take_nodes(std::span<const std::byte> payload);

  const Visit visit_;
  std::size_t row_bytes_ = 0;
  std::uint64_t live_ = 0;
};

}  // namespace vicinal::redis
