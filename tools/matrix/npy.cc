// npy: the header (a Python dictionary as text) and the layout of a matrix.
#include <fmt/core.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

constexpr std::size_t kMaxHeaderBytes = 1u << 16;
constexpr const char* kNoSimpleType = "descr is not a simple type";

// Parses {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } with keys in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  /// False when the text is not such a dictionary; `what()` says why.
  bool parse(NpyHeader& header) {
    bool descr = false;
    bool order = false;
    bool shape = false;
    if (!take('{')) return fail("no dictionary");
    while (!take('}')) {
      std::string key;
      if (!string(key) || !take(':')) return fail("no key");
      bool* seen = key == "descr"           ? &descr
                   : key == "fortran_order" ? &order
                   : key == "shape"         ? &shape
                                            : nullptr;
      if (seen == nullptr || *seen) return fail(fmt::format("key '{}'", key));
      *seen = true;
      if (seen == &descr && !string(header.descr)) return fail(kNoSimpleType);
      if (seen == &order && !boolean(header.fortran_order)) return fail("fortran_order");
      if (seen == &shape && !tuple(header.shape)) return fail("shape");
      take(',');
    }
    if (!descr || !order || !shape) return fail("descr, fortran_order or shape is missing");
    return true;
  }

  const std::string& what() const { return what_; }

 private:
  bool fail(std::string what) {
    if (what_.empty()) what_ = std::move(what);
    return false;
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool string(std::string& out) {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return false;
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return false;
    out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }

  bool boolean(bool& out) {
    skip_space();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true},
                                      std::pair<std::string_view, bool>{"False", false}}) {
      if (text_.substr(at_, word.size()) == word) {
        out = value;
        at_ += word.size();
        return true;
      }
    }
    return false;
  }

  bool tuple(std::vector<std::uint64_t>& out) {
    if (!take('(')) return false;
    while (!take(')')) {
      skip_space();
      std::uint64_t value = 0;
      const char* end = text_.data() + text_.size();
      const auto [stop, error] = std::from_chars(text_.data() + at_, end, value);
      if (error != std::errc() || out.size() == 8) return false;
      out.push_back(value);
      at_ = static_cast<std::size_t>(stop - text_.data());
      take(',');
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string what_;
};

}  // namespace

Result<NpyHeader> read_npy_header(const InputFile& file) {
  unsigned char start[12] = {};
  if (Status s = file.read_at(0, start, 10); !s.ok()) return s;
  if (std::memcmp(start, "\x93NUMPY", 6) != 0) return file.malformed(0, "not a npy file");
  const unsigned version = start[6];
  if (version < 1 || version > 2) {
    return file.malformed(6, fmt::format("npy version {}, only 1 and 2 are read", version));
  }
  std::uint64_t length = start[8] + 256u * start[9];
  std::uint64_t text_offset = 10;
  if (version == 2) {
    if (Status s = file.read_at(8, start + 8, 4); !s.ok()) return s;
    std::uint32_t wide = 0;
    std::memcpy(&wide, start + 8, sizeof wide);
    length = wide;
    text_offset = 12;
  }
  if (length > kMaxHeaderBytes || text_offset + length > file.size()) {
    return file.malformed(
        8, fmt::format("header of {} bytes in a file of {} bytes (at most {} read)", length,
                       file.size(), kMaxHeaderBytes));
  }
  std::string text(length, '\0');
  if (Status s = file.read_at(text_offset, text.data(), text.size()); !s.ok()) return s;
  NpyHeader header;
  header.data_offset = text_offset + length;
  HeaderParser parser(text);
  if (!parser.parse(header)) {
    const bool fields = parser.what() == kNoSimpleType;
    return file.malformed(
        text_offset,
        fmt::format(
            "npy header: {}{}", parser.what(),
            fields ? npy_command(file, "n.lib.recfunctions.structured_to_unstructured(a)") : ""));
  }
  return header;
}

std::string npy_command(const InputFile& file, const std::string& expression,
                        const std::string& element) {
  std::string quoted;
  for (const char c : file.path()) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return fmt::format(
      "; this converts it: python3 -c 'import sys, numpy as n; import numpy.lib.recfunctions; "
      "a = n.load(sys.argv[1]); n.save(sys.argv[2], n.ascontiguousarray({}, \"{}\"))' '{}' "
      "converted.npy",
      expression, element, quoted);
}

std::string element_note(const std::string& descr, const Element& element) {
  if (element.kind == ElementKind::kFloat32 && !element.swapped) return {};
  return fmt::format("elements are '{}', {} to float32", descr,
                     element.exact() ? "converted" : "rounded");
}

Result<RowLayout> npy_layout(const InputFile& file) {
  Result<NpyHeader> header = read_npy_header(file);
  if (!header.ok()) return header.status();
  RowLayout layout;
  layout.data_offset = header->data_offset;
  const std::optional<Element> element = element_of(header->descr);
  if (!element.has_value()) {
    const bool complex = header->descr.find('c') != std::string::npos;
    return file.malformed(10, fmt::format("elements are '{}', which is not read{}", header->descr,
                                          npy_command(file, complex ? "a.real" : "a")));
  }
  layout.element = *element;
  layout.note = element_note(header->descr, *element);
  if (header->shape.size() != 2) {
    const char* const matrix =
        header->shape.size() < 2 ? "a.reshape(1, -1)" : "a.reshape(a.shape[0], -1)";
    return file.malformed(10, fmt::format("{} axes, a matrix has 2{}", header->shape.size(),
                                          npy_command(file, matrix)));
  }
  if (header->fortran_order) {
    return file.malformed(10, "fortran order, only C order is read" + npy_command(file, "a"));
  }
  if (header->shape[1] < 1 || header->shape[1] > kMaxDimension) {
    return file.malformed(
        10, fmt::format("dimension {}, must be 1 to {}", header->shape[1], kMaxDimension));
  }
  layout.dimension = static_cast<std::uint32_t>(header->shape[1]);
  layout.rows = header->shape[0];
  const std::uint64_t data = file.size() - layout.data_offset;
  if (layout.rows > data / layout.row_bytes()) {
    const std::uint64_t row = data / layout.row_bytes();
    return file.malformed(
        layout.data_offset + row * layout.row_bytes(),
        fmt::format("row {} is truncated: {} rows of {} bytes declared, the file has {} bytes", row,
                    layout.rows, layout.row_bytes(), file.size()));
  }
  const std::uint64_t rest = data - layout.rows * layout.row_bytes();
  if (rest != 0) {
    return file.malformed(file.size() - rest,
                          fmt::format("{} bytes after the {} declared rows", rest, layout.rows));
  }
  return layout;
}

}  // namespace vicinal::matrix
