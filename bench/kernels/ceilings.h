// What the machine allows: plain loads as wide as a target's vectors, and the counter of cycles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vicinal::bench {

/// Bytes that one load of `target` takes; 16, the baseline's, for targets whose width is not fixed.
std::size_t load_bytes(std::string_view target);

/// Reads the `count` rows at `rows` + id * `bytes` (a multiple of 64) by loads of `width` bytes and
/// nothing else; the result keeps the compiler from dropping them. The CPU must have loads that wide.
std::uint64_t load_rows(const std::byte* rows, const std::uint32_t* ids, std::size_t count,
                        std::size_t bytes, std::size_t width);

/// Ticks of the time stamp counter, which runs at a fixed rate near the CPU's base clock; empty
/// where a program may not read one.
std::optional<std::uint64_t> cycles();

}  // namespace vicinal::bench
