// A compiled filter: a program for a machine with a stack, in postfix order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tools/redis/filter_value.h"

namespace vicinal::redis {

enum class FilterOp : std::uint8_t {
  kConstant,  // pushes constants[operand]
  kField,     // pushes the value of fields[operand]
  kNot,
  kNegate,
  kPower,
  kMultiply,
  kDivide,
  kModulo,
  kAdd,
  kSubtract,
  kEqual,
  kUnequal,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIn,
  kAnd,
  kOr,
};

struct FilterInstruction {
  FilterOp op;
  std::uint32_t operand = 0;
};

/// What Filter::compile makes. Every instruction finds its operands on the stack, which is never
/// higher than Filter::kMaxDepth, and one value is left at the end.
struct FilterProgram {
  std::vector<FilterInstruction> instructions;
  std::vector<Value> constants;
  std::vector<std::vector<Value>> lists;  // the expression's arrays; see ValueKind::kList
  std::vector<std::string> fields;        // different from each other
  std::deque<std::string> texts;          // what constants point to; never moved
};

/// See Filter::compile.
FilterProgram compile_filter(std::string_view expression);

}  // namespace vicinal::redis
