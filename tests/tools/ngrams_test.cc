// The demo's word vectors: unit length, the same every time, near for words spelt alike.
#include <cmath>

#include "tests/tools/files.h"
#include "tools/demo_ngrams.h"

namespace vicinal::tools {
namespace {

using NgramsTest = testing::Folder;

std::vector<float> vector_of(const std::string& word) {
  std::vector<float> vector(kWordDimension);
  embed_word(word, vector);
  return vector;
}

double cosine(const std::string& a, const std::string& b) {
  const std::vector<float> x = vector_of(a);
  const std::vector<float> y = vector_of(b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
  return sum;
}

TEST_F(NgramsTest, UnitLengthForEveryShape) {
  for (const char* word :
       {"", "a", "ab", "abc", "\xC3\xA9t\xC3\xA9", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_NEAR(cosine(word, word), 1.0, 1e-6) << word;
  }
}

TEST_F(NgramsTest, SpelledAlikeIsNear) {
  EXPECT_GT(cosine("accomodate", "accommodate"), 0.5);
  EXPECT_LT(cosine("accomodate", "zebra"), 0.3);
}

TEST_F(NgramsTest, LoadsEachWordOnce) {
  Result<std::vector<std::string>> words = load_words(file("w", "b\na\r\n\nb\na's\n"));
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(*words, (std::vector<std::string>{"b", "a", "a's"}));
  EXPECT_EQ(load_words(path("none")).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace vicinal::tools
