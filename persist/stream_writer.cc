#include "persist/stream_writer.h"

#include <cstring>

#include "engine/base/check.h"
#include "persist/checksum.h"

namespace vicinal::persist {

StreamWriter::StreamWriter(std::span<std::byte> buffer, std::uint32_t version, const ByteSink& sink)
    : buffer_(buffer), version_(version), sink_(sink) {
  VICINAL_CHECK(buffer.size() > kBeside && buffer.size() <= kPrefaceBytes + kLargestPiece);
}

Status StreamWriter::hand_over(PieceKind kind, std::size_t payload) {
  VICINAL_CHECK(payload <= room().size());
  std::byte* const header = buffer_.data() + kPrefaceBytes;
  const auto length = static_cast<std::uint64_t>(payload);
  std::memcpy(header, &kind, 4);
  std::memcpy(header + 4, &pieces_, 4);
  std::memcpy(header + 8, &length, 8);
  const std::uint64_t sum = checksum(0, {Bytes(header, 16), room().first(payload)});
  std::memcpy(header + 16, &sum, 8);
  if (pieces_++ > 0) return sink_(buffer_.subspan(kPrefaceBytes, kPieceHeaderBytes + payload));
  std::memset(buffer_.data(), 0, kPrefaceBytes);
  std::memcpy(buffer_.data(), kStreamMagic.data(), kStreamMagic.size());
  std::memcpy(buffer_.data() + 8, &version_, 4);
  return sink_(buffer_.first(kBeside + payload));
}

}  // namespace vicinal::persist
