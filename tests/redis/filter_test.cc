// Filter expressions: what they mean, what they refuse, and that nothing they are given breaks them.
#include "tools/redis/filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace vicinal::redis {
namespace {

constexpr std::string_view kFilm =
    R"({"year": 1984, "rating": 8.25, "genre": "drama", "tags": ["noir", "slow", 7],)"
    R"( "seen": true, "lost": false, "sequel": null, "id-2": "12", "box": {"year": 1},)"
    R"( "mixed": [1, null], "none": "", "line": "a\nb\u00e9\ud83d\ude00", "low": -2.5e1,)"
    R"( "empty": [], "words": "7"})";

struct Case {
  const char* expression;
  bool matches;
};

void check(const std::vector<Case>& cases, std::string_view json = kFilm) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.expression);
    try {
      EXPECT_EQ(Filter::compile(one.expression).matches(json), one.matches);
    } catch (const FilterError& error) {
      ADD_FAILURE() << "near: " << error.what() << " (" << error.reason() << ")";
    }
  }
}

TEST(Filter, ComparesNumbers) {
  check({{".year == 1984", true},
         {".year == 1985", false},
         {".year != 1985", true},
         {".year < 1984", false},
         {".year <= 1984", true},
         {".year > 1983.5", true},
         {".year >= 1984.1", false},
         {".rating == 8.25", true},
         {".low == -25", true},
         {".low < -2.4e1", true},
         {"1984 == .year", true},
         {".year == 1.984e3", true},
         {".year>=1980&&.year<1990", true}});
}

TEST(Filter, ComparesStringsAndConvertsThem) {
  check({{".genre == \"drama\"", true},
         {".genre == 'drama'", true},
         {".genre != 'drama'", false},
         {".genre == 'Drama'", false},
         {".genre == 5", false},
         {".genre != 5", true},
         {".id-2 == '12'", true},
         {".id-2 == 12", true},
         {".id-2 > 11.5", true},
         {".id-2 + 1 == 13", true},
         {".none == ''", true},
         {"'10' > '9'", true},
         {"'inf' == 'inf'", true},
         {"'inf' > 1", false},
         {"'nan' != 1", true}});
}

TEST(Filter, TrueFalseNull) {
  check({{".seen", true},
         {".lost", false},
         {".seen == true", true},
         {".seen == 1", true},
         {".lost == false", true},
         {".lost == 0", true},
         {".sequel == null", true},
         {".sequel != null", false},
         {".year == null", false},
         {".year != null", true},
         {".sequel", false},
         {"not .sequel", true},
         {".none", false},
         {".genre", true},
         {".empty", true},
         {"null == 0", false},
         {"0 / 0", false},
         {"true", true}});
}

TEST(Filter, Arithmetic) {
  check({{"1 + 2 * 3 == 7", true},
         {"(1 + 2) * 3 == 9", true},
         {"10 - 4 - 3 == 3", true},
         {"100 / 10 / 5 == 2", true},
         {"7 % 4 == 3", true},
         {"-7 % 4 == -3", true},
         {"7.5 % 2 == 1.5", true},
         {"2 ** 3 == 8", true},
         {"2 ** 3 ** 2 == 512", true},
         {"-2 ** 2 == 4", true},
         {"2 * 3 ** 2 == 18", true},
         {"2 - -2 == 4", true},
         {"- .year == -1984", true},
         {"1 / 0 > 1e300", true},
         {"(.year - 2000) ** 2 < 257 and .rating / 2 > 4", true}});
}

TEST(Filter, LogicAndPrecedence) {
  check({{"1 or 0 and 0", true},
         {"(1 or 0) and 0", false},
         {"0 || 1 && 1", true},
         {"not 0", true},
         {"!0", true},
         {"!!5", true},
         {"not not 5", true},
         {"not 1 == 0", true},  // (not 1) == 0
         {"not (1 == 0)", true},
         {"!.lost and not(.year < 1980)", true},
         {"1 + 1 == 2 and 3 > 2", true},
         {"3 > 2 == 1", true},  // one level, from the left
         {"5 > 4 > 3", false},
         {"1 OR 0 AND Not 1", true}});
}

TEST(Filter, In) {
  check({{"'noir' in .tags", true},
         {"'Noir' in .tags", false},
         {"7 in .tags", true},
         {"'7' in .tags", true},
         {"8 in .tags", false},
         {"7 in .empty", false},
         {".year in [1983, 1984]", true},
         {".year in []", false},
         {".year in [ 'x' , -1984 ]", false},
         {".low in [-25]", true},
         {".genre in ['comedy', \"drama\"]", true},
         {".genre in [\"comedy\"]", false},
         {".sequel in [null]", true},
         {".seen in [true]", true},
         {"'ram' in .genre", true},
         {"'' in .genre", true},
         {"'dramas' in .genre", false},
         {"\"foo\" in \"barfoobar\"", true},
         {"\"zap\" in \"foobar\"", false},
         {"not ('x' in .tags)", true}});
}

TEST(Filter, EscapesInBothLanguages) {
  check({{R"(.line == "a\nbé😀")", true},
         {R"("\nb" in .line)", true},
         {R"('it\'s' == "it's")", true},
         {R"("a\\b" == 'a\\b')", true},
         {R"("\q" == "q")", true}});
  check({{".a == 'x/y\b'", true}}, "{\"\\u0061\": \"x\\/y\\b\"}");
  check({{".a == '\xEF\xBF\xBD!'", true}}, R"({"a": "\ud800!"})");
  check({{"'b\"' in .a", true}}, R"({"a": ["a", "b\""]})");
  check({{".a > 0", true}}, R"({"a": "\u0031"})");
}

// The documentation: such an element is no match, whatever else the expression says.
TEST(Filter, AMissingOrUnusableFieldNeverMatches) {
  check({{".absent", false},
         {"not .absent", false},
         {".absent != 5", false},
         {".genre == 'drama' or .absent == 1", false},
         {".box == 1", false},
         {".box != 1", false},
         {"not .box", false},
         {"1 in .mixed", false},
         {"not (1 in .mixed)", false}});
}

TEST(Filter, AWrongTypeNeverMatches) {
  check({{".genre > 5", false},
         {"not (.genre > 5)", false},
         {".genre * 2 != 4", false},
         {"-.genre != 4", false},
         {".tags < 5 or 1", false},
         {".sequel < 5 or 1", false},
         {".sequel + 1 == 1", false},
         {"5 in .year or 1", false},
         {"7 in '7' or 1", false}});
  check({{".tags != 5", true}, {".tags == 5", false}});
}

TEST(Filter, BadAttributesNeverMatch) {
  for (const char* json : {"",
                           " ",
                           "5",
                           "[1]",
                           "\"a\"",
                           "{",
                           "{\"a\"",
                           "{\"a\":",
                           "{\"a\":1",
                           "{\"a\":01}",
                           "{'a':1}",
                           "{a:1}",
                           "{\"a\":+1}",
                           "{\"a\":.5}",
                           "{\"a\":1.}",
                           "{\"a\":1e}",
                           "{\"a\":tru}",
                           "{\"a\":\"x}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12g4\"}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1}",
                           "{\"a\":{\"b\"}}",
                           "{\"a\":[1 2]}",
                           "{\"a\":\"\n\"}",
                           "{\"b\":[}],\"a\":1}",
                           "{\"b\":{,},\"a\":1}",
                           "{\"b\":1 \"a\":1}",
                           "{\"a\":1e999}",
                           "null",
                           "{} "}) {
    EXPECT_FALSE(Filter::compile(".a != 'other'").matches(json)) << json;
  }
  EXPECT_FALSE(Filter::compile("1").matches("{"));
  EXPECT_FALSE(Filter::compile("1").matches("{} x"));
  EXPECT_TRUE(Filter::compile("1").matches(" { } "));
}

TEST(Filter, WhatIsTooSmallForADoubleIsZero) {
  const std::string zeros(400, '0');
  for (const std::string& small :
       {std::string("1e-400"), std::string("-12.5E-400"), "0." + zeros + "1",
        "0." + zeros + "1e+20", "1" + zeros + "e-900", std::string("3e-99999999999999999999"),
        std::string("1e-9223372036854775808")}) {
    EXPECT_TRUE(Filter::compile(".a == 0").matches("{\"a\":" + small + "}")) << small;
    EXPECT_TRUE(Filter::compile(".a < 1").matches("{\"a\":\"" + small + "\"}")) << small;
    EXPECT_TRUE(Filter::compile(small + " == .a").matches("{\"a\":0}")) << small;
  }
  for (const std::string& large :
       {std::string("1e400"), "1" + zeros, "0." + zeros + "1e+900", "1" + zeros + ".0e-10",
        std::string("3e99999999999999999999"), std::string("1e9223372036854775807")}) {
    EXPECT_FALSE(Filter::compile(".a != 'other'").matches("{\"a\":" + large + "}")) << large;
    EXPECT_THROW(Filter::compile(large + " > 1"), FilterError) << large;
  }
}

TEST(Filter, ReadsNoFurtherThanItsFields) {
  const Filter filter = Filter::compile(".a == 1");
  EXPECT_TRUE(filter.matches(R"({"a": 1, "b": broken)"));
  EXPECT_TRUE(filter.matches(R"({"a": 1,})"));
  EXPECT_TRUE(filter.matches(R"({"b": [[{"a": 2}], {}], "a": 1})"));
  EXPECT_TRUE(filter.matches(R"({"a": 1, "a": 2})"));  // the first one counts
  EXPECT_FALSE(Filter::compile(".a == 1 and .c").matches(R"({"a": 1, "b": broken, "c": 1})"));
}

TEST(Filter, DeepJsonIsRefusedAndCostsNoStack) {
  const auto nested = [](std::size_t depth) {
    return "{\"b\":" + std::string(depth, '[') + std::string(depth, ']') + ",\"a\":1}";
  };
  const Filter filter = Filter::compile(".a");
  EXPECT_TRUE(filter.matches(nested(256)));
  EXPECT_FALSE(filter.matches(nested(257)));
  EXPECT_FALSE(filter.matches("{\"b\":" + std::string(1'000'000, '[')));
}

struct Refusal {
  const char* expression;
  std::size_t position;
  const char* near;
};

TEST(Filter, RefusesWhatIsNoExpressionAndSaysWhere) {
  for (const Refusal& one : std::vector<Refusal>{{"", 0, ""},
                                                 {"  ", 2, ""},
                                                 {".year >", 7, ""},
                                                 {".year > > 5", 8, "> 5"},
                                                 {".year = 5", 6, "= 5"},
                                                 {".year 5", 6, "5"},
                                                 {".year & 5", 6, "& 5"},
                                                 {"5 + * 4", 4, "* 4"},
                                                 {"(5 + 4", 0, "(5 + 4"},
                                                 {"1 + (5 + (4)", 4, "(5 + (4)"},
                                                 {"5 + 4) * 2", 5, ") * 2"},
                                                 {"()", 1, ")"},
                                                 {"foo == 1", 0, "foo == 1"},
                                                 {".a nand .b", 3, "nand .b"},
                                                 {".a == 'x", 6, "'x"},
                                                 {".a == 'x\\'", 6, "'x\\'"},
                                                 {".a in [1", 6, "[1"},
                                                 {".a in [1 2]", 9, "2]"},
                                                 {".a in [1,]", 9, "]"},
                                                 {".a in [.b]", 7, ".b]"},
                                                 {".a in [[1]]", 7, "[1]]"},
                                                 {".a in [-'x']", 8, "'x']"},
                                                 {".a.b == 1", 2, ".b == 1"},
                                                 {". == 1", 0, ". == 1"},
                                                 {"1.2.3", 0, "1.2.3"},
                                                 {"1e999 > 1", 0, "1e999 > 1"},
                                                 {"not", 3, ""},
                                                 {"+5", 0, "+5"},
                                                 {".a ==\n@\r\n", 6, "@  "}}) {
    SCOPED_TRACE(one.expression);
    try {
      Filter::compile(one.expression);
      ADD_FAILURE() << "was compiled";
    } catch (const FilterError& error) {
      EXPECT_EQ(error.position(), one.position);
      EXPECT_STREQ(error.what(), one.near);
      EXPECT_FALSE(error.reason().empty());
    }
  }
}

void expect_limit(const std::string& expression, const std::string& reason) {
  try {
    Filter::compile(expression);
    ADD_FAILURE() << "was compiled: " << reason;
  } catch (const FilterError& error) {
    EXPECT_EQ(error.reason(), reason);
    EXPECT_LE(std::string(error.what()).size(), 128 + reason.size() + 3);
    EXPECT_THAT(error.what(), testing::HasSubstr(reason));
  }
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Filter, HasLimitsAndNamesThem) {
  EXPECT_TRUE(Filter::compile(repeated("(", 256) + "1" + repeated(")", 256)).matches("{}"));
  expect_limit(repeated("(", 257) + "1" + repeated(")", 257),
               "a depth of 257 operators, at most 256 are allowed");
  EXPECT_FALSE(Filter::compile(repeated("!", 255) + "1").matches("{}"));
  expect_limit(repeated("!", 1'000'000) + "1", "a depth of 257 operators, at most 256 are allowed");
  EXPECT_TRUE(Filter::compile(repeated("1 ** ", 255) + "1").matches("{}"));
  expect_limit(repeated("1 ** ", 256) + "1", "a depth of 257 values, at most 256 are allowed");
  EXPECT_TRUE(Filter::compile(repeated("0 + ", 8'000) + "1").matches("{}"));
  expect_limit(repeated("1+", 9'000) + "1",
               "an expression of 16385 values and operators, at most 16384 are allowed");
  expect_limit(std::string((1 << 20) + 1, ' '),
               "an expression of 1048577 bytes, at most 1048576 are allowed");
  std::string fields = ".f0";
  for (int i = 1; i < 64; ++i) fields += " or .f" + std::to_string(i) + " or .f0";
  EXPECT_FALSE(Filter::compile(fields).matches("{}"));
  expect_limit(fields + " or .f64", "an expression of 65 fields, at most 64 are allowed");
  EXPECT_TRUE(Filter::compile("7 in [" + repeated("1,", 400'000) + "7]").matches("{}"));
}

TEST(Filter, CopiesShareTheProgramAndOutliveTheExpression) {
  std::string expression = ".genre in ['a long enough string to be on the heap', 'drama']";
  Filter first = Filter::compile(expression);
  expression.assign(expression.size(), '#');
  const Filter second = first;
  first = Filter::compile("0");
  EXPECT_TRUE(second.matches(kFilm));
  EXPECT_FALSE(first.matches(kFilm));
}

// Random pieces put together at random: every outcome is allowed but a crash, and the same
// expression gives the same answer twice.
TEST(Filter, AnythingAtAllIsCompiledOrRefused) {
  const std::vector<std::string> pieces = {
      "(",   ")",   "[",     "]",    ",",    "+",   "-",  "*",    "**", "/",  "%",  "==", "!=",
      "<",   ">=",  "!",     "&&",   "||",   "and", "or", "not",  "in", ".a", ".b", ".c", "1",
      "2.5", "'x'", "\"7\"", "null", "true", "'",   "\\", "\xFF", " ",  "1e", "."};
  std::mt19937 random(20261129);
  int compiled = 0;
  for (int round = 0; round < 40'000; ++round) {
    std::string expression;
    for (int i = 1 + static_cast<int>(random() % 9); i > 0; --i) {
      expression += pieces[random() % pieces.size()];
      if (random() % 2 == 0) expression += ' ';
    }
    try {
      const Filter filter = Filter::compile(expression);
      ++compiled;
      const std::string_view json = R"({"a": 7, "b": "x", "c": ["x", 1, "\u0037"]})";
      EXPECT_EQ(filter.matches(json), filter.matches(json)) << expression;
    } catch (const FilterError& error) {
      EXPECT_LE(error.position(), expression.size());
    }
  }
  EXPECT_GT(compiled, 300);
}

}  // namespace
}  // namespace vicinal::redis
