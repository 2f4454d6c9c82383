// The one reader of whole numbers: for arguments of the programs and for lines of files.
//
// Ownership: none.
// Threads: any.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace vicinal::matrix {

/// What a whole number may be, both ends included.
struct WholeRange {
  std::uint64_t low = 0;
  std::uint64_t high = std::numeric_limits<std::uint64_t>::max();
};

/// The number that `text` is: decimal digits and nothing else (no sign, space, 0x, point or
/// exponent; zeros may lead), within `range`. Nothing when it is none.
std::optional<std::uint64_t> whole_number(std::string_view text, WholeRange range = {});

/// `"-1" is not a whole number from 0 to 18446744073709551615 (decimal digits only)`
std::string not_whole(std::string_view text, WholeRange range = {});

}  // namespace vicinal::matrix
