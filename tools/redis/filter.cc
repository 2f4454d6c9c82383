#include "tools/redis/filter.h"

#include <array>
#include <cmath>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "tools/redis/filter_program.h"
#include "tools/redis/json_fields.h"

namespace vicinal::redis {

namespace {

// The number that a value stands for, if it stands for one.
std::optional<double> as_number(const Value& value, std::string& scratch) {
  if (value.kind == ValueKind::kNumber) return value.number;
  if (value.kind != ValueKind::kString) return std::nullopt;
  const std::string_view text = unescaped(value, scratch);
  double number = 0;
  const auto [end, error] = read_number(text.data(), text.data() + text.size(), number);
  // It also reads "inf" and "nan".
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

bool truth(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNumber:
      return value.number != 0 && !std::isnan(value.number);
    case ValueKind::kString:
      return value.size > 0;
    case ValueKind::kJsonArray:
    case ValueKind::kList:
      return true;
    default:
      return false;
  }
}

// One run of a program over one element.
class Run {
 public:
  Run(const FilterProgram& program, const Value* fields) : program_(program), fields_(fields) {}

  bool matches() {
    // The program writes it, which the compiler cannot know.
    stack_[0] = Value::of(ValueKind::kMissing);
    for (const FilterInstruction& instruction : program_.instructions) {
      if (!step(instruction)) return false;
    }
    return truth(stack_[0]);
  }

 private:
  // False when an operand is of the wrong type.
  bool step(const FilterInstruction& instruction) {
    switch (instruction.op) {
      case FilterOp::kConstant:
        stack_[height_++] = program_.constants[instruction.operand];
        return true;
      case FilterOp::kField:
        stack_[height_++] = fields_[instruction.operand];
        return true;
      case FilterOp::kNot:
        return set(truth(stack_[height_ - 1]) ? 0 : 1);
      case FilterOp::kNegate:
        return negate();
      default:
        --height_;
        return binary(instruction.op, stack_[height_ - 1], stack_[height_]);
    }
  }

  bool set(double number) {
    stack_[height_ - 1] = Value::of(number);
    return true;
  }

  bool negate() {
    const auto number = as_number(stack_[height_ - 1], scratch_);
    return number && set(-*number);
  }

  bool binary(FilterOp op, const Value& left, const Value& right) {
    switch (op) {
      case FilterOp::kAnd:
        return set(truth(left) && truth(right) ? 1 : 0);
      case FilterOp::kOr:
        return set(truth(left) || truth(right) ? 1 : 0);
      case FilterOp::kEqual:
        return set(equal(left, right) ? 1 : 0);
      case FilterOp::kUnequal:
        return set(equal(left, right) ? 0 : 1);
      case FilterOp::kIn:
        return in(left, right);
      default:
        break;
    }
    const auto a = as_number(left, scratch_);
    const auto b = as_number(right, scratch_);
    return a && b && set(arithmetic(op, *a, *b));
  }

  static double arithmetic(FilterOp op, double a, double b) {
    switch (op) {
      case FilterOp::kPower:
        return std::pow(a, b);
      case FilterOp::kMultiply:
        return a * b;
      case FilterOp::kDivide:
        return a / b;
      case FilterOp::kModulo:
        return std::fmod(a, b);
      case FilterOp::kAdd:
        return a + b;
      case FilterOp::kSubtract:
        return a - b;
      case FilterOp::kLess:
        return a < b ? 1 : 0;
      case FilterOp::kLessEqual:
        return a <= b ? 1 : 0;
      case FilterOp::kGreater:
        return a > b ? 1 : 0;
      default:
        return a >= b ? 1 : 0;
    }
  }

  bool equal(const Value& left, const Value& right) {
    if (left.kind == ValueKind::kString && right.kind == ValueKind::kString) {
      return unescaped(left, scratch_) == unescaped(right, scratch2_);
    }
    if (left.kind == ValueKind::kNull || right.kind == ValueKind::kNull) {
      return left.kind == right.kind;
    }
    const auto a = as_number(left, scratch_);
    const auto b = as_number(right, scratch_);
    return a && b && *a == *b;
  }

  bool in(const Value& left, const Value& right) {
    if (right.kind == ValueKind::kList) {
      for (const Value& element : program_.lists[right.size]) {
        if (equal(left, element)) return set(1);
      }
      return set(0);
    }
    if (right.kind == ValueKind::kJsonArray) {
      std::string_view rest = right.raw();
      Value element;
      while (next_element(rest, element)) {
        if (equal(left, element)) return set(1);
      }
      return set(0);
    }
    if (left.kind != ValueKind::kString || right.kind != ValueKind::kString) return false;
    const std::string_view whole = unescaped(right, scratch2_);
    return set(whole.find(unescaped(left, scratch_)) != std::string_view::npos ? 1 : 0);
  }

  const FilterProgram& program_;
  const Value* fields_;
  std::size_t height_ = 0;
  std::string scratch_;
  std::string scratch2_;
  std::array<Value, Filter::kMaxDepth> stack_;
};

}  // namespace

Filter Filter::compile(std::string_view expression) {
  return Filter(std::make_shared<const FilterProgram>(compile_filter(expression)));
}

bool Filter::matches(std::string_view attributes_json) const noexcept {
  try {
    std::array<Value, kMaxFields> fields;
    const std::span<Value> asked(fields.data(), program_->fields.size());
    if (!find_fields(attributes_json, program_->fields, asked)) return false;
    for (const Value& value : asked) {
      if (value.kind == ValueKind::kMissing || value.kind == ValueKind::kUnusable) return false;
    }
    return Run(*program_, fields.data()).matches();
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace vicinal::redis
