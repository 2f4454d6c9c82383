// StreamReader: takes pieces out of a stream, verified, and never more bytes than the index has: what
// follows it in the stream is left there.
//
// Ownership: borrows the source; owns the bytes of the piece that is shown.
// Threads: its own thread's.
// Memory: of what a stream says that it holds, only what came: a buffer of at most twice the bytes read
// so far of a piece, and 64 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "persist/byte_buffer.h"
#include "persist/index_stream.h"
#include "vicinal/status.h"
#include "vicinal/stream.h"

namespace vicinal::persist {

class StreamReader {
 public:
  struct Piece {
    PieceKind kind = PieceKind::kEnd;
    Bytes payload;  ///< on a 64-byte boundary; valid until the next piece is asked for
  };

  explicit StreamReader(const ByteSource& source) : source_(source) {}

  /// What the stream begins with. Once, first.
  /// Errors: of the source; kCorruption  this is no index, or a damaged one.
  ///         kFormatVersion  of a later release.
  Result<StreamHead> head();
  /// The next piece: kNodes, kLinks or kEnd.
  /// Errors: of the source; kCorruption  it is damaged, or the stream ends before it.
  Result<Piece> next();

 private:
  /// Fills `room`, or says that the stream ended before.
  Status read(std::span<std::byte> room, const char* what);
  Result<Piece> read_piece();

  const ByteSource& source_;
  ByteBuffer buffer_;
  std::uint32_t pieces_ = 0;
  std::uint64_t bytes_ = 0;  ///< read so far
};

}  // namespace vicinal::persist
