// The field reader beside a JSON parser that builds everything.
#include "tools/redis/json_fields.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace vicinal::redis {
namespace {

using nlohmann::json;

json random_value(std::mt19937& random, int depth) {
  switch (random() % (depth > 0 ? 9 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return random() % 2 == 0;
    case 2:
      return static_cast<std::int64_t>(random()) - (1LL << 31);
    case 3:
      return std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 100);
    case 4:
      return "text \"\\/\b\f\n\r\t\x01 é 😀";
    case 5:
      return std::string(random() % 20, 'x');
    case 6: {
      json array = json::array();
      for (auto i = random() % 4; i > 0; --i) {
        array.push_back(random() % 2 == 0 ? json(random() % 100) : json("\"é\""));
      }
      return array;
    }
    default: {
      json nested = random() % 2 == 0 ? json::array() : json::object();
      for (int i = static_cast<int>(random() % 3); i > 0; --i) {
        if (nested.is_array()) {
          nested.push_back(random_value(random, depth - 1));
        } else {
          nested[std::string(1, static_cast<char>('k' + i))] = random_value(random, depth - 1);
        }
      }
      return nested;
    }
  }
}

// The value as nlohmann would have it; kUnusable has no counterpart.
json as_json(const Value& value) {
  std::string scratch;
  switch (value.kind) {
    case ValueKind::kNull:
      return nullptr;
    case ValueKind::kNumber:
      return value.number;
    case ValueKind::kString:
      return std::string(unescaped(value, scratch));
    case ValueKind::kJsonArray: {
      json array = json::array();
      std::string_view rest = value.raw();
      Value element;
      while (next_element(rest, element)) array.push_back(as_json(element));
      EXPECT_TRUE(rest.find_first_not_of(" \n\t\r") == std::string_view::npos) << rest;
      return array;
    }
    default:
      ADD_FAILURE() << "no value";
      return {};
  }
}

bool usable(const json& value) {
  if (value.is_object()) return false;
  if (!value.is_array()) return true;
  for (const json& element : value) {
    if (!element.is_number() && !element.is_string()) return false;
  }
  return true;
}

void expect_same(const json& expected, const Value& found) {
  if (!usable(expected)) {
    EXPECT_EQ(found.kind, ValueKind::kUnusable);
  } else if (expected.is_boolean()) {
    ASSERT_EQ(found.kind, ValueKind::kNumber);
    EXPECT_EQ(found.number, expected.get<bool>() ? 1 : 0);
  } else if (expected.is_number()) {
    ASSERT_EQ(found.kind, ValueKind::kNumber);
    EXPECT_EQ(found.number, expected.get<double>());
  } else {
    EXPECT_EQ(as_json(found), expected);
  }
}

TEST(JsonFields, FindsWhatAWholeParserFinds) {
  std::mt19937 random(7);
  const std::vector<std::string> names = {"a", "é\"", "c", "never"};
  for (int round = 0; round < 3'000; ++round) {
    json object = json::object();
    for (int i = static_cast<int>(random() % 6); i > 0; --i) {
      const std::array<const char*, 6> keys = {"a", "é\"", "c", "d", "", "aa"};
      object[keys[random() % keys.size()]] = random_value(random, 4);
    }
    const std::string text =
        object.dump(static_cast<int>(random() % 3) - 1, ' ', random() % 2 == 0);
    std::vector<Value> values(names.size());
    ASSERT_TRUE(find_fields(text, names, values)) << text;
    for (std::size_t i = 0; i < names.size(); ++i) {
      SCOPED_TRACE(text + " " + names[i]);
      if (object.contains(names[i])) {
        expect_same(object[names[i]], values[i]);
      } else {
        EXPECT_EQ(values[i].kind, ValueKind::kMissing);
      }
    }
  }
}

// With a name that is never there everything is read, so both must agree on what JSON is.
TEST(JsonFields, RefusesWhatAWholeParserRefuses) {
  std::mt19937 random(8);
  const std::vector<std::string> names = {"never"};
  const std::string bytes = "{}[]:,\"\\ 0123.e+-tfnu\n\x01xA";
  int refused = 0;
  for (int round = 0; round < 30'000; ++round) {
    json object = json::object();
    for (int i = 0; i < 3; ++i)
      object[std::string(1, static_cast<char>('a' + i))] = random_value(random, 3);
    std::string text = object.dump(-1, ' ', true);
    for (int i = static_cast<int>(random() % 3); i >= 0; --i) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = bytes[random() % bytes.size()];
      } else {
        text.erase(at, 1);
      }
    }
    const json parsed = json::parse(text, nullptr, false);
    // Ours reads lone surrogates and numbers beyond double precision, as text that nobody asks for.
    const bool differs =
        text.find("\\ud") != std::string::npos || text.find('e') != std::string::npos;
    if (differs && parsed.is_discarded()) continue;
    std::vector<Value> values(1);
    EXPECT_EQ(find_fields(text, names, values), parsed.is_object()) << text;
    if (!parsed.is_object()) ++refused;
  }
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace vicinal::redis
