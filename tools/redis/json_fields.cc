#include "tools/redis/json_fields.h"

#include <bitset>
#include <cstdint>
#include <system_error>

namespace vicinal::redis {

namespace {

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A place in a JSON text. Every function that reads returns false at what JSON does not allow.
class Reader {
 public:
  explicit Reader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  const char* at() const { return at_; }
  bool at_end() const { return at_ == end_; }
  char peek() const { return at_ == end_ ? '\0' : *at_; }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size()) return false;
    if (std::string_view(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool string(Value& value) {
    if (!take('"')) return false;
    const char* start = at_;
    bool escaped = false;
    while (at_ != end_ && *at_ != '"') {
      if (static_cast<unsigned char>(*at_) < 0x20) return false;
      if (*at_ == '\\') {
        escaped = true;
        if (!escape()) return false;
      } else {
        ++at_;
      }
    }
    value = Value::of(ValueKind::kString, {start, static_cast<std::size_t>(at_ - start)}, escaped);
    return take('"');
  }

  bool number(std::string_view& text) {
    const char* start = at_;
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return false;
    }
    text = {start, static_cast<std::size_t>(at_ - start)};
    return true;
  }

  // A string, number, true, false or null. A number beyond a double's range is kUnusable.
  bool scalar(Value& value) {
    switch (peek()) {
      case '"':
        return string(value);
      case 't':
        value = Value::of(1);
        return take_word("true");
      case 'f':
        value = Value::of(0);
        return take_word("false");
      case 'n':
        value = Value::of(ValueKind::kNull);
        return take_word("null");
      default:
        break;
    }
    std::string_view text;
    if (!number(text)) return false;
    double parsed = 0;
    const auto result = read_number(text.data(), text.data() + text.size(), parsed);
    value = result.ec == std::errc() ? Value::of(parsed) : Value::of(ValueKind::kUnusable);
    return true;
  }

  // Any value. An array is usable when it is flat and of numbers and strings alone.
  bool value(Value& found) {
    if (peek() != '{' && peek() != '[') return scalar(found);
    const char* start = at_;
    const bool array = *at_ == '[';
    bool plain = array;
    if (!nested(plain)) return false;
    found = plain ? Value::of(ValueKind::kJsonArray,
                              {start + 1, static_cast<std::size_t>(at_ - start - 2)})
                  : Value::of(ValueKind::kUnusable);
    return true;
  }

 private:
  bool digits() {
    if (!is_digit(peek())) return false;
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool escape() {
    ++at_;
    const char c = peek();
    if (at_ == end_) return false;
    ++at_;
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_ || hex_digit(*at_) < 0) return false;
    }
    return true;
  }

  // The name and the colon of a member.
  bool member() {
    Value name;
    skip_space();
    if (!string(name)) return false;
    skip_space();
    return take(':');
  }

  // Reads an object or array to its end. `plain` becomes false when anything but numbers and
  // strings stands inside.
  bool nested(bool& plain) {
    std::bitset<kMaxJsonDepth> is_object;
    std::size_t depth = 0;
    do {
      skip_space();
      bool ended = true;
      const bool fine = peek() == '{' || peek() == '[' ? open(is_object, depth, plain, ended)
                                                       : inner_scalar(plain);
      if (!fine || (ended && !after_value(is_object, depth))) return false;
    } while (depth > 0);
    return true;
  }

  // Goes into an object, as far as its first value, or an array; `ended` when it was an empty one.
  bool open(std::bitset<kMaxJsonDepth>& is_object, std::size_t& depth, bool& plain, bool& ended) {
    if (depth == kMaxJsonDepth) return false;
    if (depth > 0) plain = false;
    const bool object = *at_++ == '{';
    skip_space();
    ended = take(object ? '}' : ']');
    if (ended) return true;
    is_object[depth++] = object;
    return !object || member();
  }

  bool inner_scalar(bool& plain) {
    plain = plain && (peek() == '"' || peek() == '-' || is_digit(peek()));
    Value value;
    if (!scalar(value)) return false;
    plain = plain && value.kind != ValueKind::kUnusable;
    return true;
  }

  // What may follow a value inside: closing brackets, or a comma and the next member's name.
  bool after_value(const std::bitset<kMaxJsonDepth>& is_object, std::size_t& depth) {
    while (depth > 0) {
      const bool object = is_object[depth - 1];
      skip_space();
      if (take(',')) return !object || member();
      if (!take(object ? '}' : ']')) return false;
      --depth;
    }
    return true;
  }

  const char* at_;
  const char* end_;
};

void append_utf8(std::string& to, std::uint32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | (code >> 6));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | (code >> 12));
    to += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | (code >> 18));
    to += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    to += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::uint32_t hex4(const char* digits) {
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i) code = code * 16 + static_cast<std::uint32_t>(hex_digit(digits[i]));
  return code;
}

// Resolves the \u at text[at], which it leaves at the last character it used.
std::uint32_t unicode_escape(std::string_view text, std::size_t& at) {
  const std::uint32_t code = hex4(text.data() + at + 1);
  at += 4;
  if (code < 0xD800 || code > 0xDFFF) return code;
  const bool pair = code < 0xDC00 && text.substr(at + 1, 2) == "\\u";
  const std::uint32_t low = pair ? hex4(text.data() + at + 3) : 0;
  if (low < 0xDC00 || low > 0xDFFF) return 0xFFFD;
  at += 6;
  return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

}  // namespace

bool find_fields(std::string_view json, std::span<const std::string> names,
                 std::span<Value> values) {
  for (Value& value : values) value = Value::of(ValueKind::kMissing);
  std::size_t wanted = names.size();
  std::string scratch;
  Reader reader(json);
  reader.skip_space();
  if (!reader.take('{')) return false;
  reader.skip_space();
  bool more = !reader.take('}');
  while (more) {
    Value name;
    reader.skip_space();
    if (!reader.string(name)) return false;
    const std::string_view text = unescaped(name, scratch);
    reader.skip_space();
    if (!reader.take(':')) return false;
    reader.skip_space();
    Value found;
    if (!reader.value(found)) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (values[i].kind != ValueKind::kMissing || names[i] != text) continue;
      values[i] = found;
      --wanted;
      break;
    }
    reader.skip_space();
    more = reader.take(',');
    if (!more && !reader.take('}')) return false;
    if (wanted == 0 && !names.empty()) return true;
  }
  reader.skip_space();
  return reader.at_end();
}

bool next_element(std::string_view& rest, Value& element) {
  Reader reader(rest);
  reader.skip_space();
  if (!reader.scalar(element)) return false;
  reader.skip_space();
  reader.take(',');
  rest.remove_prefix(static_cast<std::size_t>(reader.at() - rest.data()));
  return true;
}

std::string_view unescaped(const Value& string, std::string& scratch) {
  const std::string_view raw = string.raw();
  if (!string.escaped) return raw;
  scratch.clear();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      scratch += raw[i];
      continue;
    }
    switch (const char c = raw[++i]; c) {
      case 'b':
        scratch += '\b';
        break;
      case 'f':
        scratch += '\f';
        break;
      case 'n':
        scratch += '\n';
        break;
      case 'r':
        scratch += '\r';
        break;
      case 't':
        scratch += '\t';
        break;
      case 'u':
        append_utf8(scratch, unicode_escape(raw, i));
        break;
      default:
        scratch += c;
    }
  }
  return scratch;
}

}  // namespace vicinal::redis
