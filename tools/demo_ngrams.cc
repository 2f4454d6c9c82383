#include "tools/demo_ngrams.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "tools/matrix/line_reader.h"

namespace vicinal::tools {
namespace {

constexpr std::size_t kShortest = 2;
constexpr std::size_t kLongest = 4;
constexpr std::size_t kMaxWordBytes = 256;
// Control characters, which no word holds.
constexpr char kBegin = '\x02';
constexpr char kEnd = '\x03';

}  // namespace

void embed_word(std::string_view word, std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0f);
  std::string marked;
  marked.reserve(word.size() + 2);
  marked += kBegin;
  marked += word;
  marked += kEnd;
  for (std::size_t n = kShortest; n <= kLongest; ++n) {
    for (std::size_t at = 0; at + n <= marked.size(); ++at) {
      const std::uint64_t hash = XXH3_64bits_withSeed(marked.data() + at, n, n);
      out[(hash >> 1) % out.size()] += (hash & 1) != 0 ? 1.0f : -1.0f;
    }
  }
  double squares = 0;
  for (const float component : out) squares += static_cast<double>(component) * component;
  if (squares == 0) {  // the n-grams of a very short word can cancel out
    out[XXH3_64bits(marked.data(), marked.size()) % out.size()] = 1.0f;
    return;
  }
  const auto factor = static_cast<float>(1.0 / std::sqrt(squares));
  for (float& component : out) component *= factor;
}

Result<std::vector<std::string>> load_words(const std::string& path) {
  Result<matrix::InputFile> file = matrix::InputFile::open(path);
  if (!file.ok()) return file.status();
  matrix::LineReader lines(std::move(*file), kMaxWordBytes);
  std::vector<std::string> words;
  std::unordered_set<std::string> seen;
  std::string line;
  for (;;) {
    Result<bool> got = lines.next(line);
    if (!got.ok()) return got.status();
    if (!*got) return words;
    if (line.back() == '\r') line.pop_back();
    if (seen.insert(line).second) words.push_back(line);
  }
}

}  // namespace vicinal::tools
