// A value while a filter runs: of the expression or of the JSON text, which both outlive it.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace vicinal::redis {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// std::from_chars(), but that what is too small for a double is 0, of which it says what it says of what is
/// too large.
inline std::from_chars_result read_number(const char* begin, const char* end, double& number) {
  std::from_chars_result result = std::from_chars(begin, end, number);
  if (result.ec != std::errc::result_out_of_range) return result;
  // Where the first digit stands that is not 0: 0.00|1 at -2, 1|00.0 at 3.
  constexpr std::int64_t kFar = std::int64_t{1} << 40;
  std::int64_t place = 0;
  bool point = false;
  bool found = false;
  const char* at = begin;
  for (; at != result.ptr && *at != 'e' && *at != 'E'; ++at) {
    found = found || (*at >= '1' && *at <= '9');
    if (*at == '.') {
      point = true;
    } else if (is_digit(*at) && point != found) {
      place += point ? -1 : 1;
    }
  }
  if (at != result.ptr && ++at != result.ptr) {
    if (*at == '+') ++at;
    std::int64_t exponent = 0;
    const bool read = std::from_chars(at, result.ptr, exponent).ec == std::errc();
    const std::int64_t far = *at == '-' ? -kFar : kFar;
    place += read ? std::clamp(exponent, -kFar, kFar) : far;
  }
  if (place < 0) {
    number = 0;
    result.ec = std::errc();
  }
  return result;
}

enum class ValueKind : std::uint8_t {
  kMissing,   // the field is not there
  kUnusable,  // an object, or an array of other things than numbers and strings
  kNull,
  kNumber,
  kString,
  kJsonArray,  // `data` is the JSON text between the brackets, already checked
  kList,       // an array of the expression: `size` is its number in FilterProgram::lists
};

/// Trivial, so that a stack of them costs nothing to set up.
struct Value {
  ValueKind kind;
  bool escaped;  // the text has JSON escapes in it
  union {
    double number;
    const char* data;
  };
  std::size_t size;

  static Value of(double number) {
    Value value;
    value.kind = ValueKind::kNumber;
    value.escaped = false;
    value.number = number;
    value.size = 0;
    return value;
  }
  static Value of(ValueKind kind, std::string_view text, bool escaped = false) {
    Value value;
    value.kind = kind;
    value.escaped = escaped;
    value.data = text.data();
    value.size = text.size();
    return value;
  }
  static Value of(ValueKind kind) { return of(kind, {}); }
  static Value list(std::size_t number) {
    Value value = of(ValueKind::kList);
    value.size = number;
    return value;
  }

  /// The text of a kString or kJsonArray as it stands.
  std::string_view raw() const { return {data, size}; }
};

}  // namespace vicinal::redis
