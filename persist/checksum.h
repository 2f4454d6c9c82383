// The checksum of everything that is stored: XXH3-64 with a seed over several parts, one after the
// other.
//
// Threads: any. Allocates nothing but, once in a process, while the instruction set is chosen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace vicinal::persist {

std::uint64_t checksum(std::uint64_t seed,
                       std::initializer_list<std::span<const std::byte>> parts) noexcept;

}  // namespace vicinal::persist
