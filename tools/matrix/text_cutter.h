// TextCutter: a line of JSON without its long texts, while it is read.
//
// What: rows of documents carry the document. A string of more than kLongText bytes becomes "": no
// label and no vector is one, and the line stays JSON.
// Ownership: the line is the caller's.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vicinal::matrix {

class TextCutter {
 public:
  static constexpr std::size_t kLongText = 1024;

  /// A line begins.
  void begin() { *this = TextCutter(); }
  /// Whether append() was called for this line.
  bool cutting() const { return cutting_; }

  /// Appends `piece` to `line`; the first time what is there is cut, too.
  void append(std::string_view piece, std::string& line);

 private:
  void cut(std::string_view piece, std::string& line);

  bool cutting_ = false;
  bool in_text_ = false;
  bool escaped_ = false;  ///< the next character belongs to the backslash before it
  bool dropping_ = false;
  std::size_t text_ = 0;  ///< where the text begins in the line
};

}  // namespace vicinal::matrix
