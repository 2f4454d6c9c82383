// Expressions over the attributes of an element: what VSIM's FILTER takes.
//
// The attributes are a JSON object as text. An expression reads fields of its first level and says
// whether the element matches:  .year >= 1980 and (.genre == "drama" or "noir" in .tags)
//
//   values     numbers (1, 1.5, 2e3), "strings" or 'strings' with \n \r \t \\ \" \', true (1),
//              false (0), null, arrays of these in brackets (for `in`)
//   fields     a dot and letters, digits, _ and -: .year is the field "year" of the first level,
//              `.a-1` the field "a-1", `.a - 1` a difference
//   operators  tightest first: not ! and - before a value; ** (from the right); * / %; + -;
//              == != < <= > >= in, all on one level; and &&; or ||
//              Words are read in lower and upper case. `not .a in [1]` is `(not .a) in [1]`.
//
// What a JSON value is in an expression: a number a number, a string a string, true 1, false 0, null
// null, an array of numbers and strings an array. Anything else is of no type that an expression
// knows. Numbers are double precision; one that is too small for it is 0, one that is too large of no type, and
// an error in an expression.
//
//   arithmetic, < <= > >=  on numbers; a string that spells one is converted
//   == !=    two strings by their bytes, null with null, otherwise as numbers; what cannot be
//            compared is unequal
//   in       whether an array has an equal element; between two strings, whether the right one
//            contains the left one
//   truth    a number but 0 and NaN, a string but "", every array; never null
//
// An element does not match, whatever the rest of the expression says, when its attributes are not
// a JSON object, when a field that stands anywhere in the expression is missing or of no type that
// an expression knows, or when a value is not of the type that its operator wants. `or` does not
// save such an element: every part is looked at, as vector sets of Redis 8 do.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vicinal::redis {

struct FilterProgram;

/// An expression that is none, or that passes a limit.
class FilterError : public std::runtime_error {
 public:
  /// `near` is the text of the expression from where it went wrong.
  FilterError(const std::string& near, std::size_t position, std::string reason)
      : std::runtime_error(near), position_(position), reason_(std::move(reason)) {}

  /// Offset in bytes of the place in the expression.
  std::size_t position() const noexcept { return position_; }
  /// What was wrong there, with the numbers where a limit was passed.
  const std::string& reason() const noexcept { return reason_; }

 private:
  std::size_t position_;
  std::string reason_;
};

/// A compiled expression.
///
/// Threads: immutable; matches() may run in any number of threads. A copy shares the program.
class Filter {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  static constexpr std::size_t kMaxInstructions = std::size_t{1} << 14;
  static constexpr std::size_t kMaxDepth = 256;
  static constexpr std::size_t kMaxFields = 64;

  /// Compiles `expression`: at most kMaxBytes long, kMaxInstructions values and operators (an array
  /// is one value), kMaxDepth open parentheses or values waiting for an operator, kMaxFields
  /// different fields.
  /// Errors: FilterError. what() is printable and at most 128 bytes and a limit's reason long.
  /// Cost: linear in the length, for time and memory; nothing recurses.
  static Filter compile(std::string_view expression);

  /// Whether an element with these attributes matches.
  /// Errors: none; see the head of this file for what does not match. Out of memory is no match.
  /// Cost: reads the JSON up to the last field the expression names, then runs the program.
  /// Allocates nothing unless a string has JSON escapes. JSON nested more than 256 deep is refused.
  bool matches(std::string_view attributes_json) const noexcept;

 private:
  explicit Filter(std::shared_ptr<const FilterProgram> program) : program_(std::move(program)) {}

  std::shared_ptr<const FilterProgram> program_;
};

}  // namespace vicinal::redis
