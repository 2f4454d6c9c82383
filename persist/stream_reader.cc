#include "persist/stream_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "persist/checksum.h"

namespace vicinal::persist {
Status StreamReader::read(std::span<std::byte> room, const char* what) {
  std::size_t filled = 0;
  while (filled < room.size()) {
    const Result<std::size_t> more = source_(room.subspan(filled));
    if (!more) return more.status();
    if (*more == 0) {
      return Status::corruption(
          fmt::format("the stream ends after {} bytes, inside {} {}", bytes_, what, pieces_));
    }
    if (*more > room.size() - filled) {
      return Status::invalid_argument(
          fmt::format("the source gave {} bytes, {} were asked for", *more, room.size() - filled));
    }
    filled += *more;
    bytes_ += *more;
  }
  return {};
}

Result<StreamHead> StreamReader::head() {
  std::array<std::byte, kPrefaceBytes> preface{};
  VICINAL_RETURN_IF_ERROR(read(preface, "the preface of piece"));
  if (std::memcmp(preface.data(), kStreamMagic.data(), kStreamMagic.size()) != 0) {
    return Status::corruption("the stream is no index: it does not begin with VICINDEX");
  }
  const auto version = value_at<std::uint32_t>(preface, 8);
  if (version != kStreamVersion && version != kStorageStreamVersion) {
    return Status::format_version(fmt::format("a stream of version {}, this release reads {}",
                                              version, kStorageStreamVersion));
  }
  if (value_at<std::uint32_t>(preface, 12) != 0)
    return Status::corruption("the preface is damaged");
  const Result<Piece> first = read_piece();
  if (!first) return first.status();
  if (first->kind != PieceKind::kHead) {
    return Status::corruption(fmt::format("piece 0 is of kind {}, a head is {}",
                                          static_cast<std::uint32_t>(first->kind),
                                          static_cast<std::uint32_t>(PieceKind::kHead)));
  }
  return get_head(first->payload, version);
}

Result<StreamReader::Piece> StreamReader::next() {
  Result<Piece> piece = read_piece();
  if (!piece) return piece;
  const auto kind = static_cast<std::uint32_t>(piece->kind);
  if (kind < static_cast<std::uint32_t>(PieceKind::kNodes) ||
      kind > static_cast<std::uint32_t>(PieceKind::kEnd) ||
      (piece->kind == PieceKind::kEnd && !piece->payload.empty())) {
    return Status::corruption(fmt::format("piece {} is of kind {} and has {} bytes", pieces_ - 1,
                                          kind, piece->payload.size()));
  }
  return piece;
}

Result<StreamReader::Piece> StreamReader::read_piece() {
  constexpr std::size_t kFirstRead = 64 << 10;
  std::array<std::byte, kPieceHeaderBytes> header{};
  VICINAL_RETURN_IF_ERROR(read(header, "piece"));
  const auto kind = static_cast<PieceKind>(value_at<std::uint32_t>(header, 0));
  const auto number = value_at<std::uint32_t>(header, 4);
  const auto length = value_at<std::uint64_t>(header, 8);
  if (number != pieces_ || length > kLargestPiece - kPieceHeaderBytes) {
    return Status::corruption(
        fmt::format("piece {} says that it is {} and has {} bytes", pieces_, number, length));
  }
  for (std::size_t filled = 0; filled < length;) {
    if (buffer_.size() == filled) {
      buffer_.resize(std::min<std::size_t>(length, std::max(kFirstRead, 2 * filled)), filled);
    }
    const std::size_t end = std::min<std::size_t>(length, buffer_.size());
    VICINAL_RETURN_IF_ERROR(read(buffer_.bytes().subspan(filled, end - filled), "piece"));
    filled = end;
  }
  const Bytes payload = buffer_.bytes().first(length);
  if (value_at<std::uint64_t>(header, 16) != checksum(0, {Bytes(header).first(16), payload})) {
    return Status::corruption(fmt::format("the checksum of piece {} does not match", pieces_));
  }
  ++pieces_;
  return Piece{kind, payload};
}

}  // namespace vicinal::persist
