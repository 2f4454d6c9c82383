// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace vicinal::tools {

/// "102,401"
std::string grouped(std::uint64_t value);
/// "1.5 MiB"
std::string human_bytes(std::uint64_t bytes);
/// "740 us", "12.5 ms", "3.2 s", "4 min 05 s", "2 h 03 min"
std::string human_seconds(double seconds);

}  // namespace vicinal::tools
