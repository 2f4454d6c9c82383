#include "tools/matrix/line_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace vicinal::matrix {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

}  // namespace

LineReader::LineReader(InputFile file, std::size_t max_line_bytes, Lines lines)
    : file_(std::move(file)), max_line_bytes_(max_line_bytes), lines_(lines) {
  block_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, file_.size() + 1)));
}

void LineReader::rewind() {
  block_size_ = position_ = 0;
  block_offset_ = line_number_ = 0;
}

Result<bool> LineReader::refill() {
  block_offset_ += block_size_;
  position_ = 0;
  block_size_ = static_cast<std::size_t>(
      std::min<std::uint64_t>(block_.size(), file_.size() - block_offset_));
  if (block_size_ == 0) return false;
  if (Status s = file_.read_at(block_offset_, block_.data(), block_size_); !s.ok()) return s;
  return true;
}

Result<bool> LineReader::next_raw(std::string& line) {
  line.clear();
  cutter_.begin();
  bool started = false;
  for (;;) {
    if (position_ == block_size_) {
      Result<bool> more = refill();
      if (!more.ok()) return more;
      if (!*more) break;
    }
    if (!started) ++line_number_;
    started = true;
    const char* from = block_.data() + position_;
    const void* newline = std::memchr(from, '\n', block_size_ - position_);
    const std::size_t length =
        newline != nullptr ? static_cast<std::size_t>(static_cast<const char*>(newline) - from)
                           : block_size_ - position_;
    if (Status s = append({from, length}, line); !s.ok()) return s;
    position_ += length + (newline != nullptr ? 1 : 0);
    if (newline != nullptr) break;
  }
  if (started && line_number_ == 1) {
    if (Status s = take_mark(line); !s.ok()) return s;
  }
  return started;
}

Status LineReader::append(std::string_view piece, std::string& line) {
  if (!cutter_.cutting() && line.size() + piece.size() <= max_line_bytes_) {
    line.append(piece);
    return {};
  }
  if (lines_ == Lines::kJson) {
    cutter_.append(piece, line);
    if (line.size() <= max_line_bytes_) return {};
  }
  return malformed(fmt::format("longer than {} bytes{}", max_line_bytes_,
                               lines_ == Lines::kJson ? " without its texts" : ""));
}

Status LineReader::take_mark(std::string& line) const {
  if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  if (!line.starts_with("\xFF\xFE") && !line.starts_with("\xFE\xFF")) return {};
  return malformed("text in UTF-16; this converts it: iconv -f UTF-16 -t UTF-8");
}

Result<bool> LineReader::next(std::string& line) {
  for (;;) {
    Result<bool> got = next_raw(line);
    if (!got.ok() || !*got || !blank(line)) return got;
  }
}

Status LineReader::malformed(std::string_view message) const {
  return Status::invalid_argument(
      fmt::format("{}: line {}: {}", file_.path(), line_number_, message));
}

}  // namespace vicinal::matrix
