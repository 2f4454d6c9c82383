// A set as strings: whole again, names and vectors together (RM4), and never more than what came, whatever
// came.
#include "tools/redis/serialize.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/stream_reseal.h"
#include "tests/redis/fake_server.h"
#include "tools/redis/bytes.h"
#include "tools/redis/heap.h"
#include "vicinal/memory.h"

namespace vicinal::redis {
namespace {

const bool kFake = fake::use_fake_server() && set_allocator({hook_allocate, hook_deallocate});

constexpr std::uint32_t kDimension = 8;
using Strings = std::vector<std::string>;

SetValue make_set(int elements, int removed, unsigned seed = 1) {
  auto set =
      std::make_shared<VectorSet>(*Index::in_memory({.dimension = kDimension, .threads = 1}));
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (int i = 0; i < elements; ++i) {
    std::vector<float> vector(kDimension);
    for (float& x : vector) x = normal(random);
    const std::string attribute = i % 3 == 0 ? fake::numbered("{\"i\":", i, "}") : "";
    EXPECT_TRUE(*set->put(fake::numbered("e", i), vector, attribute));
  }
  for (int i = 0; i < removed; ++i)
    EXPECT_TRUE(*set->remove(fake::numbered("e", 2 * static_cast<std::size_t>(i))));
  return set;
}

Strings saved(const VectorSet& set) {
  Strings strings;
  EXPECT_TRUE(save_set(set, [&](std::string_view bytes) {
                strings.emplace_back(bytes);
                return Status();
              }).ok());
  return strings;
}

Result<SetValue> load(const Strings& strings) {
  std::size_t at = 0;
  return load_set(
      [&]() -> Result<std::string_view> {
        if (at == strings.size()) return Status::corruption("no more strings");
        return std::string_view(strings[at++]);
      },
      1);
}

void expect_equal(const VectorSet& a, const VectorSet& b) {
  ASSERT_EQ(a.size(), b.size());
  ASSERT_EQ(a.elements().attribute_count(), b.elements().attribute_count());
  a.elements().walk({}, false, [&](std::string_view name, Label label) {
    const auto other = b.elements().find(name);
    EXPECT_TRUE(other.has_value()) << name;
    if (!other) return false;
    EXPECT_EQ(*a.index().get(label), *b.index().get(*other));
    EXPECT_EQ(a.elements().attribute_of(label), b.elements().attribute_of(*other));
    return true;
  });
}

// Gives the strings before the index their checksums again.
void sign(Strings& strings) {
  const auto sum = [](std::string_view of, char* to) {
    const std::uint64_t value = checksum(of);
    std::memcpy(to, &value, sizeof value);
  };
  std::string& head = strings[0];
  if (head.size() >= 8)
    sum(std::string_view(head).substr(0, head.size() - 8), &head[head.size() - 8]);
  for (std::size_t i = 1; i < strings.size() && !strings[i].starts_with("VICINDEX"); ++i) {
    if (strings[i].size() >= 8) sum(std::string_view(strings[i]).substr(8), strings[i].data());
  }
}

class Serialize : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(Serialize, RoundTrip) {
  const auto [elements, removed] = GetParam();
  const SetValue set = make_set(elements, removed);
  const Strings strings = saved(*set);
  const Result<SetValue> again = load(strings);
  ASSERT_TRUE(again) << again.status().to_string();
  expect_equal(*set, **again);
  EXPECT_EQ((*again)->elements().slot_count(), set->elements().slot_count());
  // The same bytes: slots, labels and links are what they were.
  EXPECT_EQ(saved(**again).front(), strings.front());
  EXPECT_EQ(saved(**again)[1], strings[1]);
  // It is a set like any other: slots that were free are used, labels do not meet.
  std::vector<float> vector(kDimension, 1);
  for (int i = 0; i < removed + 10; ++i) {
    ASSERT_TRUE(*(*again)->put(fake::numbered("new", i), vector, {}));
  }
  EXPECT_EQ((*again)->index().size(), (*again)->size());
}

INSTANTIATE_TEST_SUITE_P(Sizes, Serialize,
                         ::testing::Values(std::pair(1, 0), std::pair(40, 13), std::pair(40, 20),
                                           std::pair(1500, 500)));

TEST(SerializeDamage, EverythingIsRefusedOrWhole) {
  const SetValue set = make_set(60, 20);
  const Strings good = saved(*set);
  std::mt19937 random(5);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    Strings bad = good;
    const std::size_t which = random() % bad.size();
    std::string& string = bad[which];
    switch (random() % 6) {
      case 0:
        if (!string.empty()) {
          char& byte = string[random() % string.size()];
          byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << random() % 8));
        }
        break;
      case 1:
        if (!string.empty()) string.resize(random() % string.size());
        break;
      case 2:
        if (string.size() > 4) {
          const std::uint32_t value = random() % 2 == 0 ? static_cast<std::uint32_t>(random())
                                                        : static_cast<std::uint32_t>(random() % 8);
          std::memcpy(&string[random() % (string.size() - 4)], &value, sizeof value);
        }
        break;
      case 3:
        bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(which));
        break;
      case 4:
        bad.insert(bad.begin() + static_cast<std::ptrdiff_t>(which), good[random() % good.size()]);
        break;
      default:
        if (!string.empty())
          string.insert(random() % string.size(), string.substr(string.size() / 2));
    }
    if (!bad.empty()) sign(bad);
    std::size_t came = 0;
    for (const std::string& s : bad) came += s.size();
    fake::heap_most = fake::heap_now.load();
    const std::size_t before = fake::heap_now;
    const Result<SetValue> result = load(bad);
    EXPECT_LT(fake::heap_most - before, 100000 + 64 * came);
    if (!result) {
      ++refused;
      continue;
    }
    EXPECT_EQ((*result)->index().size(), (*result)->size());
    EXPECT_EQ((*result)->index().validate()->problems, 0U);
  }
  EXPECT_GT(refused, 2000);
}

// One record of the names.
std::string record(std::string_view name, std::uint32_t uses, std::string_view attribute = {}) {
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(name.size() + 1));
  append(bytes, uses);
  append(bytes, static_cast<std::uint32_t>(attribute.empty() ? 0 : attribute.size() + 1));
  return bytes.append(name).append(attribute);
}

Strings crafted(std::uint64_t elements, std::uint64_t slots, std::uint64_t attributes,
                const std::string& records) {
  Strings strings = saved(*make_set(2, 0));
  std::memcpy(&strings[0][16], &elements, sizeof elements);
  std::memcpy(&strings[0][24], &slots, sizeof slots);
  std::memcpy(&strings[0][32], &attributes, sizeof attributes);
  strings[1] = std::string(8, '\0') + records;
  sign(strings);
  return strings;
}

TEST(SerializeDamage, WhatCannotBeIsRefused) {
  const std::string two = record("a", 0) + record("b", 0);
  EXPECT_TRUE(load(crafted(2, 2, 0, two)));
  EXPECT_TRUE(load(crafted(2, 3, 0, two + std::string(4, '\0')))) << "a free slot";
  EXPECT_FALSE(load(crafted(2, 2, 0, record("a", 0) + record("a", 0)))) << "a name twice";
  EXPECT_FALSE(load(crafted(2, 2, 0, record("a", 0) + record("b", 1))))
      << "a label that is not there";
  EXPECT_FALSE(load(crafted(2, 3, 0, std::string(4, '\0') + two))) << "shifted labels";
  EXPECT_FALSE(load(crafted(1, 2, 0, two))) << "other counts";
  EXPECT_FALSE(load(crafted(2, 2, 1, two)));
  EXPECT_FALSE(load(crafted(2, 1, 0, two)));
  EXPECT_FALSE(load(crafted(3, 3, 0, two + record("c", 0)))) << "more names than vectors";
  EXPECT_FALSE(load(crafted(1, 1, 0, record("a", 0)))) << "more vectors than names";
  EXPECT_FALSE(load(crafted(0, 0, 0, "")));
  EXPECT_FALSE(load(crafted(2, 1ULL << 40, 0, two))) << "slots that never come";
  EXPECT_FALSE(load(crafted(1ULL << 63, 1ULL << 63, 0, two)));
}

// To link them would take minutes, and the server with them.
TEST(SerializeDamage, ManyVectorsWithoutLinksAreRefused) {
  constexpr int kMany = 3000;
  const SetValue set = make_set(kMany, 0);
  Strings strings = saved(*set);
  std::string stream;
  ASSERT_TRUE(set->index()
                  .save([&](std::span<const std::byte> piece) {
                    std::string bytes(reinterpret_cast<const char*>(piece.data()), piece.size());
                    std::uint32_t kind = 0;
                    std::memcpy(&kind, bytes.data(), sizeof kind);
                    if (kind == static_cast<std::uint32_t>(persist::PieceKind::kLinks)) {
                      constexpr std::size_t kStart =
                          persist::kPieceHeaderBytes + persist::LinksReader::kStart;
                      std::uint32_t nodes = 0;
                      std::memcpy(&nodes, &bytes[kStart - sizeof nodes], sizeof nodes);
                      const std::uint64_t payload =
                          persist::LinksReader::kStart + nodes * persist::LinksReader::kNodeBytes;
                      bytes.resize(kStart);
                      bytes.append(nodes * persist::LinksReader::kNodeBytes, '\0');
                      std::memcpy(&bytes[8], &payload, sizeof payload);
                    }
                    stream += bytes;
                    return Status();
                  })
                  .ok());
  testing::reseal(std::as_writable_bytes(std::span(stream)));
  while (strings.back().rfind("VICINDEX", 0) != 0) strings.pop_back();
  strings.back() = stream;
  strings.emplace_back();
  const Result<SetValue> result = load(strings);
  ASSERT_FALSE(result);
  EXPECT_NE(result.status().message().find("without links"), std::string::npos)
      << result.status().message();
}

TEST(SerializeDamage, OnlyFloat32IsASet) {
  Strings strings = saved(*make_set(1, 0));
  const Index halves =
      *Index::in_memory({.dimension = kDimension, .storage = Storage::kFloat16, .threads = 1});
  const Label label = 0;  // as the only name has
  ASSERT_TRUE(Index(halves).upsert(label, std::vector<float>(kDimension, 1)));
  strings.resize(2);
  std::string stream;
  ASSERT_TRUE(halves
                  .save([&](std::span<const std::byte> bytes) {
                    stream.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                    return Status();
                  })
                  .ok());
  strings.push_back(stream);
  strings.emplace_back();
  const Result<SetValue> result = load(strings);
  ASSERT_FALSE(result);
  EXPECT_NE(result.status().message().find("float32"), std::string::npos)
      << result.status().message();
}

TEST(SerializeDamage, VersionsAreTold) {
  Strings later = saved(*make_set(1, 0));
  later[0][8] = 2;
  sign(later);
  const Result<SetValue> result = load(later);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.status().code(), StatusCode::kFormatVersion);
}

}  // namespace
}  // namespace vicinal::redis
