// Sums of a stream made anew, so that what was changed in it is not refused by them alone.
#pragma once

#include <cstring>
#include <span>

#include "persist/checksum.h"
#include "persist/index_stream.h"

namespace vicinal::testing {

/// Gives every piece of `bytes`, as far as their lengths lead, its number and its checksum.
inline void reseal(std::span<std::byte> bytes) {
  std::uint32_t number = 0;
  for (std::size_t at = persist::kPrefaceBytes; at + persist::kPieceHeaderBytes <= bytes.size();) {
    const std::span<std::byte> header = bytes.subspan(at, persist::kPieceHeaderBytes);
    std::uint64_t length = 0;
    std::memcpy(&length, header.data() + 8, sizeof length);
    at += persist::kPieceHeaderBytes;
    if (length > bytes.size() - at) return;
    std::memcpy(header.data() + 4, &number, sizeof number);
    ++number;
    const std::uint64_t sum = persist::checksum(
        0, {header.first(16), bytes.subspan(at, static_cast<std::size_t>(length))});
    std::memcpy(header.data() + 16, &sum, sizeof sum);
    at += static_cast<std::size_t>(length);
  }
}

}  // namespace vicinal::testing
