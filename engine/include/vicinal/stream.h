// Streams: where Index::save() puts an index as bytes, and where Index::load() takes it from.
//
// What: two functions of the caller's, over a file, a socket, a host's own snapshot or a buffer.
// Threads: called by the thread that called save() or load(), one call at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "vicinal/requirements.h"
#include "vicinal/status.h"

namespace vicinal {

/// Takes the next bytes of a stream, all of them: one piece (see persist/FORMAT.md) a call, at most
/// 32 MiB and 16 bytes. A Status that is not OK ends save(), which returns it.
using ByteSink = std::function<Status(std::span<const std::byte> bytes)>;

/// Writes the next bytes of a stream into `room`, which is not empty, as many as it likes up to all;
/// returns how many. 0: the stream has ended. A Status ends load(), which returns it.
using ByteSource = std::function<Result<std::size_t>(std::span<std::byte> room)>;

namespace engine {
class WritePause;
}  // namespace engine

/// An index whose writes are paused, from Index::pause_writes() until this goes: nothing changes that
/// searches see or save() writes. For hosts that fork() to save: fork while it lives, save in the child.
///
/// Threads: one at a time, but for save(), which refuses a second; it may go on another thread than it came
/// on. Of writes to the index only those of the thread that paused are refused (kBusy): any other thread,
/// the one that holds this now included, waits until this goes.
class PausedWrites {
 public:
  /// As Index::save(), but the index stands still. In a child that was forked while this lived: takes no
  /// lock, uses no memory that was not there before, and lets `sink` do what a child may do; the child
  /// then calls _exit(), or lets this go and uses the index for itself (if no other thread was inside a
  /// call of the index at the fork: what that one had locked stays so).
  /// Errors: of the sink, as they are; kInvalidArgument  vectors are not in memory; kBusy  another save() of
  ///         it is under way.
  Status save(const ByteSink& sink);

  explicit PausedWrites(std::unique_ptr<engine::WritePause> pause);  ///< internal
  PausedWrites(PausedWrites&&) noexcept;
  PausedWrites& operator=(PausedWrites&&) noexcept;
  ~PausedWrites();

 private:
  std::unique_ptr<engine::WritePause> pause_;
};

}  // namespace vicinal
