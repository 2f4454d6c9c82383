// StreamWriter: brings pieces into a stream, one call of the sink each.
//
// Ownership: borrows the buffer and the sink.
// Threads: its own thread's. Allocates nothing and takes no lock, but what errors say: the child of a
// fork() may use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "persist/index_stream.h"
#include "vicinal/status.h"
#include "vicinal/stream.h"

namespace vicinal::persist {

class StreamWriter {
 public:
  /// What a buffer has beside the payload of a piece.
  static constexpr std::size_t kBeside = kPrefaceBytes + kPieceHeaderBytes;

  /// `buffer` is longer than kBeside, and at most kPrefaceBytes + kLargestPiece. `version`: of
  /// the stream.
  StreamWriter(std::span<std::byte> buffer, std::uint32_t version, const ByteSink& sink);

  /// Where the payload of the next piece is written.
  std::span<std::byte> room() { return buffer_.subspan(kBeside); }
  /// Its first `payload` bytes are a piece; then there is room for the next.
  Status hand_over(PieceKind kind, std::size_t payload);

 private:
  const std::span<std::byte> buffer_;
  const std::uint32_t version_;
  const ByteSink& sink_;
  std::uint32_t pieces_ = 0;
};

}  // namespace vicinal::persist
