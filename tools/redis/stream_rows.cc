#include "tools/redis/stream_rows.h"

#include <cstring>
#include <string>

namespace vicinal::redis {
namespace {

constexpr char kStreamMagic[] = {'V', 'I', 'C', 'I', 'N', 'D', 'E', 'X'};
constexpr std::size_t kPreface = 16;
constexpr std::size_t kPieceHeader = 24;
constexpr std::uint32_t kHeadPiece = 1;
constexpr std::uint32_t kNodesPiece = 2;
constexpr std::size_t kRowAlignment = 64;
constexpr auto kLive = std::byte{2};

template <typename T>
T at(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

Status unknown() {
  return Status::format_version("the saved form of an index is not that of persist/FORMAT.md, 1");
}

}  // namespace

Status StreamRows::take(std::span<const std::byte> bytes) {
  if (bytes.size() >= kPreface &&
      std::memcmp(bytes.data(), kStreamMagic, sizeof kStreamMagic) == 0) {
    if (at<std::uint32_t>(bytes, sizeof kStreamMagic) != 1) return unknown();
    bytes = bytes.subspan(kPreface);
  }
  while (!bytes.empty()) {
    if (bytes.size() < kPieceHeader) return unknown();
    const auto kind = at<std::uint32_t>(bytes, 0);
    const auto length = at<std::uint64_t>(bytes, 8);
    if (length > bytes.size() - kPieceHeader) return unknown();
    const auto payload = bytes.subspan(kPieceHeader, length);
    if (kind == kHeadPiece) {
      if (length < sizeof(std::uint32_t)) return unknown();
      row_bytes_ = at<std::uint32_t>(payload, 0) * sizeof(float);
    } else if (kind == kNodesPiece) {
      if (Status nodes = take_nodes(payload); !nodes.ok()) return nodes;
    }
    bytes = bytes.subspan(kPieceHeader + length);
  }
  return {};
}

Status StreamRows::take_nodes(std::span<const std::byte> payload) {
  if (payload.size() < sizeof(std::uint64_t)) return unknown();
  const auto count = at<std::uint64_t>(payload, 0);
  constexpr std::size_t kBeside = sizeof(Label) + 2;  // label, level, state
  if (count > payload.size() / kBeside) return unknown();
  constexpr std::size_t kLabels = sizeof count;
  const std::size_t states = kLabels + count * (sizeof(Label) + 1);
  const std::size_t rows = (states + count + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
  if (payload.size() != rows + count * row_bytes_) return unknown();
  for (std::size_t i = 0; i < count; ++i) {
    if (payload[states + i] != kLive) continue;
    ++live_;
    visit_(at<Label>(payload, kLabels + i * sizeof(Label)),
           payload.subspan(rows + i * row_bytes_, row_bytes_));
  }
  return {};
}

Status StreamRows::end(std::uint64_t live) const {
  if (live_ == live) return {};
  return Status::corruption("an index gave " + std::to_string(live_) + " rows of " +
                            std::to_string(live));
}

}  // namespace vicinal::redis
