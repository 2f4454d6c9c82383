// From an expression to postfix order by operator precedence, with a stack of its own instead of
// recursion.
#include <algorithm>
#include <string>
#include <system_error>

#include "tools/redis/filter.h"
#include "tools/redis/filter_program.h"

namespace vicinal::redis {

namespace {

// The most of the expression that an error shows.
constexpr std::size_t kShownBytes = 128;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_field_char(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-'; }

// An error reply is one line.
std::string shown(std::string_view text) {
  std::string line(text.substr(0, kShownBytes));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line;
}

struct Operator {
  std::string_view text;
  FilterOp op;
  int precedence;
};

constexpr int kPrefixPrecedence = 7;
constexpr int kPowerPrecedence = 6;

// Longer texts before those they begin with.
constexpr Operator kOperators[] = {
    {"**", FilterOp::kPower, kPowerPrecedence},
    {"*", FilterOp::kMultiply, 5},
    {"/", FilterOp::kDivide, 5},
    {"%", FilterOp::kModulo, 5},
    {"+", FilterOp::kAdd, 4},
    {"-", FilterOp::kSubtract, 4},
    {"==", FilterOp::kEqual, 3},
    {"!=", FilterOp::kUnequal, 3},
    {"<=", FilterOp::kLessEqual, 3},
    {">=", FilterOp::kGreaterEqual, 3},
    {"<", FilterOp::kLess, 3},
    {">", FilterOp::kGreater, 3},
    {"in", FilterOp::kIn, 3},
    {"&&", FilterOp::kAnd, 2},
    {"and", FilterOp::kAnd, 2},
    {"||", FilterOp::kOr, 1},
    {"or", FilterOp::kOr, 1},
};

class Compiler {
 public:
  explicit Compiler(std::string_view expression) : text_(expression) {}

  FilterProgram compile() {
    if (text_.size() > Filter::kMaxBytes) {
      limit("an expression", text_.size(), "bytes", Filter::kMaxBytes);
    }
    bool wants_value = true;
    for (skip_space(); at_ < text_.size(); skip_space()) {
      wants_value = wants_value ? value() : binary();
    }
    if (wants_value) fail("a value was expected");
    while (!pending_.empty()) {
      if (pending_.back().precedence == 0) {
        at_ = pending_.back().position;
        fail("a parenthesis that is not closed");
      }
      emit_pending();
    }
    return std::move(program_);
  }

 private:
  struct Pending {
    FilterOp op;
    int precedence;  // 0 for an open parenthesis
    std::size_t position;
  };

  [[noreturn]] void fail(const std::string& reason) const {
    throw FilterError(shown(text_.substr(at_)), at_, reason);
  }

  [[noreturn]] void limit(const std::string& what, std::size_t number, const std::string& unit,
                          std::size_t most) const {
    const std::string reason = what + " of " + std::to_string(number) + " " + unit + ", at most " +
                               std::to_string(most) + " are allowed";
    throw FilterError(shown(text_.substr(at_)) + " (" + reason + ")", at_, reason);
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  // The letters from here on, in lower case.
  std::string word() const {
    std::string letters;
    for (std::size_t i = at_; i < text_.size() && is_letter(text_[i]); ++i) {
      letters += static_cast<char>(text_[i] | 0x20);
    }
    return letters;
  }

  // Reads a value, or what stands before one. Returns whether a value is still wanted.
  bool value() {
    const std::size_t position = at_;
    if (take('(')) {
      push_pending({FilterOp::kConstant, 0, position});
      return true;
    }
    if (take('!')) return prefix(FilterOp::kNot, position);
    if (take('-')) return prefix(FilterOp::kNegate, position);
    if (peek() == '.') {
      emit(FilterOp::kField, field());
      return false;
    }
    if (peek() == '[') {
      emit_constant(list());
      return false;
    }
    if (word() == "not") {
      at_ += 3;
      return prefix(FilterOp::kNot, position);
    }
    emit_constant(literal());
    return false;
  }

  bool prefix(FilterOp op, std::size_t position) {
    push_pending({op, kPrefixPrecedence, position});
    return true;
  }

  // Reads what stands after a value: an operator or ')'. Returns whether a value is wanted.
  bool binary() {
    if (peek() == ')') {
      while (!pending_.empty() && pending_.back().precedence != 0) emit_pending();
      if (pending_.empty()) fail("a parenthesis that was not opened");
      pending_.pop_back();
      ++at_;
      return false;
    }
    const std::string letters = word();
    for (const Operator& known : kOperators) {
      const bool here = letters.empty() ? text_.substr(at_, known.text.size()) == known.text
                                        : letters == known.text;
      if (!here) continue;
      // `**` alone groups from the right.
      const int stays = known.op == FilterOp::kPower ? known.precedence + 1 : known.precedence;
      while (!pending_.empty() && pending_.back().precedence >= stays) emit_pending();
      push_pending({known.op, known.precedence, at_});
      at_ += known.text.size();
      return true;
    }
    fail("an operator was expected");
  }

  std::uint32_t field() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_field_char(text_[end])) ++end;
    const std::string name(text_.substr(at_ + 1, end - at_ - 1));
    if (name.empty()) fail("a field's name was expected");
    if (end < text_.size() && text_[end] == '.') {
      at_ = end;
      fail("only fields of the first level can be asked for");
    }
    auto& fields = program_.fields;
    const auto found = std::find(fields.begin(), fields.end(), name);
    const auto index = static_cast<std::uint32_t>(found - fields.begin());
    if (found == fields.end()) {
      if (fields.size() == Filter::kMaxFields) {
        limit("an expression", fields.size() + 1, "fields", Filter::kMaxFields);
      }
      fields.push_back(name);
    }
    at_ = end;
    return index;
  }

  Value literal() {
    const char c = peek();
    if (c == '"' || c == '\'') return string(c);
    if (is_digit(c)) return number();
    const std::string letters = word();
    Value value;
    if (letters == "true") {
      value = Value::of(1);
    } else if (letters == "false") {
      value = Value::of(0);
    } else if (letters == "null") {
      value = Value::of(ValueKind::kNull);
    } else {
      fail("a value was expected");
    }
    at_ += letters.size();
    return value;
  }

  Value number() {
    double parsed = 0;
    const char* start = text_.data() + at_;
    const auto [end, error] = read_number(start, text_.data() + text_.size(), parsed);
    if (error != std::errc()) fail("a number beyond double precision");
    const std::size_t length = static_cast<std::size_t>(end - start);
    if (is_digit(peek(length)) || peek(length) == '.') fail("a number was expected");
    at_ += length;
    return Value::of(parsed);
  }

  Value string(char quote) {
    const std::size_t start = at_++;
    std::string text;
    while (at_ < text_.size() && text_[at_] != quote) {
      char c = text_[at_++];
      if (c == '\\' && at_ < text_.size()) c = escape(text_[at_++]);
      text += c;
    }
    if (!take(quote)) {
      at_ = start;
      fail("a string that is not closed");
    }
    program_.texts.push_back(std::move(text));
    return Value::of(ValueKind::kString, program_.texts.back());
  }

  static char escape(char c) {
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      default:
        return c;
    }
  }

  Value list() {
    const std::size_t start = at_++;
    std::vector<Value> elements;
    skip_space();
    while (!take(']')) {
      const bool negative = take('-');
      if (negative && !is_digit(peek())) fail("a number was expected");
      Value element = literal();
      if (negative) element.number = -element.number;
      elements.push_back(element);
      skip_space();
      if (take(',')) {
        skip_space();
        if (peek() == ']') fail("a value was expected");
      } else if (at_ == text_.size()) {
        at_ = start;
        fail("an array that is not closed");
      } else if (peek() != ']') {
        fail("a comma or ] was expected");
      }
    }
    program_.lists.push_back(std::move(elements));
    return Value::list(program_.lists.size() - 1);
  }

  void emit_constant(Value value) {
    program_.constants.push_back(value);
    emit(FilterOp::kConstant, static_cast<std::uint32_t>(program_.constants.size() - 1));
  }

  void emit_pending() {
    const FilterOp op = pending_.back().op;
    pending_.pop_back();
    if (op != FilterOp::kNot && op != FilterOp::kNegate) --height_;
    emit(op, 0);
  }

  void emit(FilterOp op, std::uint32_t operand) {
    auto& instructions = program_.instructions;
    if (instructions.size() == Filter::kMaxInstructions) {
      limit("an expression", instructions.size() + 1, "values and operators",
            Filter::kMaxInstructions);
    }
    if (op == FilterOp::kConstant || op == FilterOp::kField) {
      if (height_ == Filter::kMaxDepth) limit("a depth", height_ + 1, "values", Filter::kMaxDepth);
      ++height_;
    }
    instructions.push_back({op, operand});
  }

  void push_pending(Pending operation) {
    if (pending_.size() == Filter::kMaxDepth) {
      limit("a depth", pending_.size() + 1, "operators", Filter::kMaxDepth);
    }
    pending_.push_back(operation);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Pending> pending_;
  std::size_t height_ = 0;  // of the running program's stack
  FilterProgram program_;
};

}  // namespace

FilterProgram compile_filter(std::string_view expression) { return Compiler(expression).compile(); }

}  // namespace vicinal::redis
