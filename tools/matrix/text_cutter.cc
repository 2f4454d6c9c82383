#include "tools/matrix/text_cutter.h"

#include <utility>

namespace vicinal::matrix {

void TextCutter::append(std::string_view piece, std::string& line) {
  if (!std::exchange(cutting_, true)) {
    const std::string before = std::exchange(line, {});
    cut(before, line);
  }
  cut(piece, line);
}

void TextCutter::cut(std::string_view piece, std::string& line) {
  for (const char c : piece) {
    const bool quote = c == '"' && !escaped_;
    if (!in_text_) {
      line.push_back(c);
      in_text_ = quote;
      text_ = line.size();
      continue;
    }
    escaped_ = c == '\\' && !escaped_;
    if (quote) {
      in_text_ = false;
      dropping_ = false;
      line.push_back(c);
    } else if (!dropping_) {
      line.push_back(c);
      if (line.size() - text_ <= kLongText) continue;
      line.resize(text_);
      dropping_ = true;
    }
  }
}

}  // namespace vicinal::matrix
