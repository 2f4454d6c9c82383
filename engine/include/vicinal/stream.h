// Streams: where Index::save() puts an index as bytes, and where Index::load() takes it from.
//
// What: two functions of the caller's, over a file, a socket, a host's own snapshot or a buffer.
// Threads: called by the thread that called save() or load(), one call at a time.
#pragma once

#include <cstddef>
#include <functional>
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

}  // namespace vicinal
