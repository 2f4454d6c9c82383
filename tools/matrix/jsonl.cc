// jsonl: a JSON object a line, {"label": 7, "vector": [0.5, 1]}. "label" is there in all lines or
// in none; other keys are skipped, whatever they hold. Parsed by events, so nothing but the vector
// is held.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tools/matrix/formats.h"
#include "tools/matrix/line_reader.h"

namespace vicinal::matrix {
namespace {

// A component written by any usual writer takes less than 64 bytes, its comma included.
constexpr std::size_t kMaxLineBytes = 64 * kMaxDimension + (1u << 16);

/// In place of a number that no double holds; as long as the shortest of them, and not what people write.
constexpr std::string_view kTamed = "8E307";

/// Whether all of `text` is a number of JSON's.
bool is_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    return std::exchange(at, end) < end;
  };
  const std::size_t first = at;
  if (!digits() || (text[first] == '0' && at > first + 1)) return false;
  if (at < text.size() && text[at] == '.' && (++at, !digits())) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == text.size();
}

/// The line with all its numbers that no double holds, at which the parser would stop, replaced by one that
/// no float32 does: what stands behind them stays where it was.
std::string tamed(std::string line) {
  const std::string_view number = "+-.0123456789Ee";
  bool in_string = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '"') in_string = !in_string;
    if (in_string) {
      if (line[at] == '\\') ++at;
      continue;
    }
    if (number.find(line[at]) == std::string_view::npos) continue;
    const std::size_t end = std::min(line.find_first_not_of(number, at), line.size());
    const std::string text = line.substr(at, end - at);
    if (text.size() >= kTamed.size() && is_number(text) &&
        std::isinf(std::strtod(text.c_str(), nullptr))) {
      line.replace(at, text.size(), text.size(), ' ');
      line.replace(at, kTamed.size(), kTamed);
    }
    at = end - 1;
  }
  return line;
}

class LineHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit LineHandler(std::vector<float>& values) : values_(values), start_(values.size()) {}

  std::optional<Label> label;
  bool has_vector = false;
  std::string error;
  /// The parser has stopped at a number of no interest that no double holds.
  bool huge = false;

  std::size_t dimension() const { return values_.size() - start_; }

  bool null() override { return scalar("null"); }
  bool boolean(bool) override { return scalar("a boolean"); }
  bool string(string_t&) override { return scalar("a string"); }
  bool binary(binary_t&) override { return scalar("binary"); }

  bool number_integer(number_integer_t value) override {
    if (at_label()) return fail(fmt::format("label {} is negative", value));
    // Zero comes here only as "-0"; its sign is a part of the stored bits.
    return component(value == 0 ? -0.0f : static_cast<float>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (!at_label()) return component(static_cast<float>(value));
    if (label.has_value()) return fail("two labels");
    label = value;
    return true;
  }
  bool number_float(number_float_t value, const string_t& text) override {
    if (at_label()) return bad_label(text);
    // From the text, as rounding twice (to double, then to float) can miss the nearest float.
    float exact = 0;
    const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), exact);
    if (status == std::errc() && stop == text.data() + text.size()) return component(exact);
    if (relevant() && std::isinf(matrix::narrow(value))) return out_of_range(text);
    return component(matrix::narrow(value));
  }

  bool start_object(std::size_t) override {
    if (depth_ > 0 && relevant()) return fail("an object where a value is expected");
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) {
      key_ = name == "label" ? Key::kLabel : name == "vector" ? Key::kVector : Key::kOther;
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return fail("an array, not an object");
    if (depth_ == 1 && key_ == Key::kVector) {
      if (has_vector) return fail("two vectors");
      has_vector = true;
    } else if (relevant()) {
      return fail("an array where a number is expected");
    }
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception& problem) override {
    constexpr int kNumberOverflow = 406;
    if (problem.id == kNumberOverflow) {
      if (at_label()) return bad_label(token);
      if (relevant()) return out_of_range(token);
      huge = true;
      return false;
    }
    std::string_view text = problem.what();
    if (const std::size_t colon = text.find(": "); colon != std::string_view::npos) {
      text.remove_prefix(colon + 2);
    }
    const bool not_finite = token.ends_with('N') || token.ends_with('I');
    return fail(fmt::format("not JSON at column {}: {}{}", position, text,
                            not_finite ? "; JSON has no NaN and no infinity" : ""));
  }

 private:
  enum class Key { kOther, kLabel, kVector };

  bool at_label() const { return depth_ == 1 && key_ == Key::kLabel; }
  bool relevant() const {
    return key_ != Key::kOther && (depth_ == 1 || (depth_ == 2 && key_ == Key::kVector));
  }
  bool fail(std::string message) {
    if (error.empty()) error = std::move(message);
    return false;
  }
  bool bad_label(const std::string& text) {
    return fail(fmt::format("label {} is not a whole number below 2^64", shown(text)));
  }
  bool out_of_range(const std::string& text) {
    return fail(
        fmt::format("component {} is {}, out of float32's range", dimension(), shown(text)));
  }
  static std::string shown(const std::string& number) {
    constexpr std::size_t kShown = 40;
    if (number == kTamed) return "beyond any double";
    return number.size() > kShown ? number.substr(0, kShown) + "..." : number;
  }
  bool scalar(const char* what) {
    if (depth_ == 0) return fail(fmt::format("{}, not an object", what));
    if (!relevant()) return true;
    return fail(fmt::format("{} where a number is expected", what));
  }
  bool component(float value) {
    if (depth_ == 0) return fail("a number, not an object");
    if (depth_ == 1 && key_ == Key::kVector) return fail("\"vector\" is a number, not an array");
    if (!relevant()) return true;
    if (dimension() == kMaxDimension) {
      return fail(fmt::format("more than {} components", kMaxDimension));
    }
    values_.push_back(value);
    return true;
  }

  std::vector<float>& values_;
  std::size_t start_;
  int depth_ = 0;
  Key key_ = Key::kOther;
};

class JsonlReader final : public Reader {
 public:
  explicit JsonlReader(InputFile file)
      : Reader(file.path()), lines_(std::move(file), kMaxLineBytes, LineReader::Lines::kJson) {}

  /// Counts the lines and learns dimension and labels from the first.
  Status prepare() {
    std::string line;
    std::optional<Label> label;
    for (;;) {
      Result<bool> got = lines_.next(line);
      if (!got.ok()) return got.status();
      if (!*got) break;
      if (rows_++ > 0) continue;
      std::vector<float> first;
      if (Status s = parse(line, 0, first, label); !s.ok()) return s;
      has_labels_ = label.has_value();
      dimension_ = static_cast<std::uint32_t>(first.size());
      first_line_ = lines_.line_number();
    }
    if (rows_ == 0) return lines_.file().malformed(0, "no line holds anything");
    lines_.rewind();
    return {};
  }

  Status read(std::size_t max_rows, Batch& batch) override {
    batch.first_row = next_;
    batch.rows = 0;
    batch.values.clear();
    batch.labels.clear();
    line_numbers_.clear();
    while (batch.rows < max_rows) {
      Result<bool> got = lines_.next(line_);
      if (!got.ok()) return got.status();
      if (!*got) break;
      if (Status s = read_line(batch); !s.ok()) return s;
    }
    next_ += batch.rows;
    return {};
  }

  std::string locate(std::uint64_t row) const override {
    const std::uint64_t first = next_ - line_numbers_.size();
    if (row < first || row >= next_) return fmt::format("row {}", row);
    return fmt::format("row {} at line {}", row, line_numbers_[row - first]);
  }

 private:
  Status read_line(Batch& batch) {
    std::optional<Label> label;
    const std::size_t before = batch.values.size();
    const std::uint64_t row = batch.first_row + batch.rows;
    if (Status s = parse(line_, row, batch.values, label); !s.ok()) return s;
    const std::size_t dimension = batch.values.size() - before;
    if (dimension != dimension_) {
      return malformed(
          row, fmt::format("dimension {}, line {} has {}", dimension, first_line_, dimension_));
    }
    if (label.has_value() != has_labels_) {
      return malformed(row, fmt::format("{} label, line {} has {}", has_labels_ ? "no" : "a",
                                        first_line_, has_labels_ ? "one" : "none"));
    }
    if (label.has_value()) batch.labels.push_back(*label);
    line_numbers_.push_back(lines_.line_number());
    ++batch.rows;
    return {};
  }

  Status malformed(std::uint64_t row, const std::string& message) const {
    return Status::invalid_argument(
        fmt::format("{}: row {} at line {}: {}", path_, row, lines_.line_number(), message));
  }

  /// Appends the line's vector, that of row `row`, to `values`.
  Status parse(const std::string& line, std::uint64_t row, std::vector<float>& values,
               std::optional<Label>& label) {
    const std::size_t before = values.size();
    std::optional<LineHandler> handler(std::in_place, values);
    bool ok = nlohmann::json::sax_parse(line, &*handler);
    if (handler->huge) {
      values.resize(before);
      handler.emplace(values);
      ok = nlohmann::json::sax_parse(tamed(line), &*handler);
    }
    if (!ok) return malformed(row, handler->error.empty() ? "not JSON" : handler->error);
    if (!handler->has_vector) return malformed(row, "no \"vector\"");
    if (handler->dimension() == 0) return malformed(row, "\"vector\" is empty");
    label = handler->label;
    return {};
  }

  LineReader lines_;
  std::string line_;
  std::vector<std::uint64_t> line_numbers_;  ///< of the batch read last
  std::uint64_t first_line_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace

Result<std::unique_ptr<Reader>> make_jsonl_reader(InputFile file) {
  auto reader = std::make_unique<JsonlReader>(std::move(file));
  if (Status s = reader->prepare(); !s.ok()) return s;
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace vicinal::matrix
