#include "tools/matrix/whole_number.h"

#include <fmt/core.h>

#include <charconv>
#include <system_error>

namespace vicinal::matrix {

std::optional<std::uint64_t> whole_number(std::string_view text, WholeRange range) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  // Takes no sign, no space and no 0x: digits only, and at least one.
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  if (value < range.low || value > range.high) return std::nullopt;
  return value;
}

std::string not_whole(std::string_view text, WholeRange range) {
  return fmt::format("\"{}\" is not a whole number from {} to {} (decimal digits only)", text,
                     range.low, range.high);
}

}  // namespace vicinal::matrix
