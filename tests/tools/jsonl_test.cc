// JSON lines: what is read, to the last bit, and what each line that is none is told.
#include <cmath>
#include <limits>

#include "tests/tools/matrix_files.h"
#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

using JsonlTest = MatrixFiles;

TEST_F(JsonlTest, ReadsJsonlWithLabelsAndWithout) {
  const std::string with = file("a.jsonl",
                                "{\"label\": 18446744073709551615, \"vector\": [1, -2.5, 3]}\r\n"
                                "\n"
                                "{\"vector\":[4,5,6e-3],\"text\":{\"vector\":[[1]],\"label\":-1},"
                                "\"label\":2}");
  expect_rows(with, 2, 3, {1, -2.5f, 3, 4, 5, 6e-3f});
  Result<std::unique_ptr<Reader>> reader = Reader::open(with);
  ASSERT_TRUE(reader.ok());
  EXPECT_TRUE((*reader)->has_labels());
  Batch batch;
  ASSERT_TRUE((*reader)->read(10, batch).ok());
  EXPECT_EQ(batch.labels, (std::vector<Label>{18446744073709551615ull, 2}));
  EXPECT_EQ((*reader)->locate(1), "row 1 at line 3");

  Result<std::unique_ptr<Reader>> without = Reader::open(file("b.jsonl", "{\"vector\":[1]}\n"));
  ASSERT_TRUE(without.ok());
  EXPECT_FALSE((*without)->has_labels());
}

TEST_F(JsonlTest, JsonNumbersReachTheNearestFloat) {
  // Halfway between two floats in double precision only: rounding twice would go wrong.
  expect_rows(
      file("a.jsonl", "{\"vector\":[1.00000017881393432617187499, 3.4028235e38, 1e-60, 1e-400]}\n"),
      1, 4, {1.00000011920928955078125f, std::numeric_limits<float>::max(), 0, 0});
}

TEST_F(JsonlTest, MalformedJsonlNamesTheLine) {
  const auto error = [&](const std::string& second) {
    return error_of(file("a.jsonl", "{\"label\":1,\"vector\":[1,2]}\n" + second + "\n"));
  };
  EXPECT_HAS(error("{\"label\":2,\"vector\":[1,2]"), "line 2: not JSON at column");
  EXPECT_HAS(error("{\"label\":2,\"vector\":[1,2]} {}"), "line 2: not JSON");
  EXPECT_HAS(error("{\"label\":2,\"vector\":[1,NaN]}"), "line 2: not JSON");
  EXPECT_HAS(error("{\"label\":2,\"vector\":[1,null]}"), "line 2: null");
  EXPECT_HAS(error("{\"label\":2,\"vector\":[1,[2]]}"), "line 2: an array");
  EXPECT_HAS(error("{\"label\":2,\"vector\":{}}"), "line 2: an object");
  EXPECT_HAS(error("{\"label\":2,\"vector\":3}"), "line 2: \"vector\" is a number");
  EXPECT_HAS(error("{\"label\":2,\"vector\":\"3\"}"), "line 2: a string");
  EXPECT_HAS(error("{\"label\":2,\"vector\":[1,2],\"vector\":[]}"), "two vectors");
  EXPECT_HAS(error("{\"label\":2,\"vector\":[]}"), "is empty");
  EXPECT_HAS(error("{\"label\":2}"), "no \"vector\"");
  EXPECT_HAS(error("{\"label\":-2,\"vector\":[1,2]}"), "label -2 is negative");
  EXPECT_HAS(error("{\"label\":2.5,\"vector\":[1,2]}"), "label 2.5");
  EXPECT_HAS(error("{\"label\":18446744073709551616,\"vector\":[1,2]}"),
             "label 18446744073709551616");
  EXPECT_HAS(error("{\"vector\":[1,2]}"), "line 2: no label, line 1 has one");
  EXPECT_HAS(error("[1,2]"), "an array, not an object");
  EXPECT_HAS(error("7"), "a number, not an object");
  EXPECT_HAS(error("\"x\""), "a string, not an object");
}

TEST_F(JsonlTest, JsonlLinesAreBounded) {
  std::string deep(1u << 20, '[');
  EXPECT_HAS(error_of(file("a.jsonl", deep)), "line 1: an array, not an object");
  std::string components = "{\"vector\":[1";
  for (std::uint64_t i = 0; i < kMaxDimension; ++i) components += ",1";
  EXPECT_HAS(error_of(file("b.jsonl", components + "]}")), "more than 65536 components");
  EXPECT_HAS(error_of(file("c.jsonl", std::string(6u << 20, ' ') + "{")), "line 1: longer than");
}

TEST_F(JsonlTest, HugeNumbersOfNoInterest) {
  // Any number of them; those in a string are none.
  std::string many = "{\"s\":\"1e999 \\\\\\\" 1e999\",\"x\":[";
  for (int i = 0; i < 100'000; ++i) many += i % 2 == 0 ? "1e999," : "9999999999e300,";
  many += "7],\"vector\":[";
  expect_rows(file("f.jsonl", many + "1,2]}\n"), 1, 2, {1, 2});
  EXPECT_HAS(error_of(file("f.jsonl", many + "1,1e777]}\n")),
             "component 1 is beyond any double, out of float32's range");
  for (const char* const no_number :
       {"1e999-5+3", "+1e999", "01e999", "1e999.5", "1.e999", "-e999"}) {
    EXPECT_HAS(error_of(file("f.jsonl", std::string("{\"a\":1e999,\"x\":") + no_number +
                                            ",\"vector\":[1,2]}\n")),
               "not JSON");
  }
  EXPECT_HAS(error_of(file("f.jsonl", many + "1,2], oops}\n")),
             "not JSON at column " + std::to_string(many.size() + 7));
}

}  // namespace
}  // namespace vicinal::matrix
