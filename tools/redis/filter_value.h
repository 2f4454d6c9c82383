// A value while a filter runs: of the expression or of the JSON text, which both outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vicinal::redis {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

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
