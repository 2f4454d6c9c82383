// LabelSet against std::set: every shape of labels, every operation, complements, order, threads.
#include "vicinal/label_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vicinal::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Label kLast = std::numeric_limits<Label>::max();

std::vector<Label> stored_labels(const LabelSet& set) {
  std::vector<Label> labels;
  set.for_each_stored([&](Label label) {
    labels.push_back(label);
    return true;
  });
  return labels;
}

LabelSet of(const std::vector<Label>& labels) { return LabelSet(labels); }

std::vector<Label> range(Label first, std::size_t count, Label step = 1) {
  std::vector<Label> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = first + i * step;
  return labels;
}

// What a set should be. Combined by asking both sides about every label that either stores, not by
// the rules that LabelSet combines by.
struct Expected {
  std::set<Label> stored;
  bool inverted = false;

  bool contains(Label label) const { return stored.contains(label) != inverted; }

  template <typename In>
  static Expected combined(const Expected& a, const Expected& b, const In& in) {
    // What holds for a label that neither stores holds for nearly all: it decides the inversion.
    Expected result{{}, in(a.inverted, b.inverted)};
    for (const auto* side : {&a.stored, &b.stored}) {
      for (const Label label : *side) {
        if (in(a.contains(label), b.contains(label)) != result.inverted) {
          result.stored.insert(label);
        }
      }
    }
    return result;
  }
};

struct SetAndModel {
  LabelSet set;
  Expected expected;
};

// Labels of a shape that is stored in a way of its own, at places that often meet another's.
std::vector<Label> random_labels(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  const auto times = [](std::size_t count, const auto& make) {
    std::vector<Label> labels(count);
    std::generate(labels.begin(), labels.end(), make);
    return labels;
  };
  const Label base = std::array<Label, 4>{0, Label{1} << 32, Label{7} << 40, kLast << 32}[below(4)];
  std::vector<Label> labels;
  switch (below(10)) {
    case 0:  // an unbroken range, perhaps over a chunk's border
      return range(base + below(3000) - (base == 0 ? 0 : 1500), below(9000));
    case 1:  // every few
      return range(base + below(3000), below(1000), 1 + below(300));
    case 2:  // a range with a hole here and there
      labels = range(base, 9000);
      std::erase_if(labels, [&](Label) { return below(3000) < 3; });
      return labels;
    case 3:  // more than Roaring's arrays hold, or nearly so many
      labels = range(base, 9000);
      std::erase_if(labels, [&](Label) { return below(9) < 5; });
      return labels;
    case 4:  // about as long as a range must be to be kept as one
      return range(base, 28 + below(8));
    case 5:  // a few labels to a chunk
      return times(below(1000), [&] { return base + below(1ull << 32); });
    case 6:  // hashes
      return times(below(1000), [&] { return random(); });
    case 7:  // fields of bits: ranges with holes under many upper halves
      return times(below(2000), [&] { return below(40) << 32 | below(64); });
    case 8:  // borders
      labels = {0, kLast, kLast - 1, (Label{1} << 32) - 1, Label{1} << 32};
      std::erase_if(labels, [&](Label) { return below(2) == 0; });
      return labels;
    default:  // few enough values that sets share most
      return times(below(300), [&] { return base + below(400); });
  }
}

SetAndModel random_pair(std::mt19937_64& random) {
  std::vector<Label> labels;
  for (std::uint64_t parts = 1 + random() % 3; parts > 0; --parts) {
    const std::vector<Label> more = random_labels(random);
    labels.insert(labels.end(), more.begin(), more.end());
  }
  if (random() % 4 == 0) std::shuffle(labels.begin(), labels.end(), random);
  SetAndModel pair{LabelSet(labels), {{labels.begin(), labels.end()}}};
  if (random() % 3 == 0) pair = {~pair.set, {pair.expected.stored, true}};
  return pair;
}

void expect_is(const LabelSet& set, const Expected& expected, std::mt19937_64& random) {
  ASSERT_EQ(set.inverted(), expected.inverted);
  ASSERT_EQ(set.stored(), expected.stored.size());
  const std::vector<Label> labels(expected.stored.begin(), expected.stored.end());
  ASSERT_EQ(stored_labels(set), labels);
  const std::uint64_t all_but = kLast - expected.stored.size() + 1;
  ASSERT_EQ(set.size(), !expected.inverted ? labels.size() : labels.empty() ? kLast : all_but);
  ASSERT_EQ(set.empty(), set.size() == 0);
  for (const Label label : labels) {
    for (const Label probe : {label - 1, label, label + 1, label ^ (Label{1} << 40)}) {
      ASSERT_EQ(set.contains(probe), expected.contains(probe)) << probe;
    }
  }
  for (const Label probe : {Label{0}, kLast, Label{random()}}) {
    ASSERT_EQ(set.contains(probe), expected.contains(probe)) << probe;
  }
  // L1: made by operations or from labels, a set is the same.
  const LabelSet again = expected.inverted ? ~of(labels) : of(labels);
  ASSERT_TRUE(set == again);
  ASSERT_FALSE(set == ~again);
}

TEST(LabelSet, EmptyAndAll) {
  const LabelSet empty;
  EXPECT_TRUE(empty.empty());
  EXPECT_EQ(empty.size(), 0U);
  EXPECT_EQ(empty.bytes(), 0U);
  EXPECT_FALSE(empty.inverted());
  EXPECT_FALSE(empty.contains(0));
  EXPECT_FALSE(empty.contains(kLast));
  EXPECT_THAT(stored_labels(empty), IsEmpty());
  EXPECT_EQ(of({}), empty);
  EXPECT_EQ(of({1, 2}) - of({2, 1, 3}), empty);

  const LabelSet all = LabelSet::all();
  EXPECT_FALSE(all.empty());
  EXPECT_EQ(all.size(), kLast);
  EXPECT_EQ(all.stored(), 0U);
  EXPECT_TRUE(all.inverted());
  EXPECT_TRUE(all.contains(0));
  EXPECT_TRUE(all.contains(kLast));
  EXPECT_EQ(~all, empty);
  EXPECT_EQ(~empty, all);
  EXPECT_NE(all, empty);
}

TEST(LabelSet, TakesLabelsInAnyOrderWithRepeats) {
  const LabelSet set = of({7, kLast, 0, 7, 3, 0, Label{1} << 32});
  EXPECT_THAT(stored_labels(set), ElementsAre(0, 3, 7, Label{1} << 32, kLast));
  EXPECT_EQ(set.size(), 5U);
  EXPECT_EQ(set, of({0, 3, 7, Label{1} << 32, kLast}));
  EXPECT_NE(set, of({0, 3, 7, Label{1} << 32, kLast - 1}));
}

TEST(LabelSet, TheLastLabelIsNotTheEnd) {
  const LabelSet set = of({kLast});
  EXPECT_TRUE(set.contains(kLast));
  EXPECT_FALSE(set.contains(kLast - 1));
  EXPECT_FALSE(set.contains(0));
  EXPECT_EQ((~set).size(), kLast);
  EXPECT_EQ((~of({0, kLast})).size(), kLast - 1);
  const LabelSet last_million = of(range(kLast - 999999, 1000000));
  EXPECT_EQ(last_million.size(), 1000000U);
  EXPECT_TRUE(last_million.contains(kLast));
  EXPECT_FALSE(last_million.contains(kLast - 1000000));
}

TEST(LabelSet, AgreesWithStdSetUnderRandomOperations) {
  constexpr std::uint64_t kSeed = 20240611;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 80; ++round) {
    SCOPED_TRACE(::testing::Message() << "seed " << kSeed << ", round " << round);
    SetAndModel pair = random_pair(random);
    ASSERT_NO_FATAL_FAILURE(expect_is(pair.set, pair.expected, random));
    for (int step = 0; step < 3; ++step) {
      const SetAndModel other = random_pair(random);
      const Expected& a = pair.expected;
      const Expected& b = other.expected;
      switch (random() % 3) {
        case 0:
          pair = {pair.set & other.set,
                  Expected::combined(a, b, [](bool x, bool y) { return x && y; })};
          break;
        case 1:
          pair = {pair.set | other.set,
                  Expected::combined(a, b, [](bool x, bool y) { return x || y; })};
          break;
        default:
          pair = {pair.set - other.set,
                  Expected::combined(a, b, [](bool x, bool y) { return x && !y; })};
      }
      ASSERT_NO_FATAL_FAILURE(expect_is(pair.set, pair.expected, random));
    }
  }
}

TEST(LabelSet, ComplementsObeyDeMorgan) {
  constexpr std::uint64_t kSeed = 5;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(::testing::Message() << "seed " << kSeed << ", round " << round);
    const LabelSet a = random_pair(random).set;
    const LabelSet b = random_pair(random).set;
    ASSERT_EQ(~~a, a);
    ASSERT_EQ(~(a & b), ~a | ~b);
    ASSERT_EQ(~(a | b), ~a & ~b);
    ASSERT_EQ(a - b, a & ~b);
    ASSERT_EQ((a - b) | (a & b), a);
    ASSERT_EQ((a - b) | (b - a) | (a & b), a | b);
    ASSERT_TRUE((a & ~a).empty());
    ASSERT_EQ(a | ~a, LabelSet::all());
    ASSERT_EQ(a & LabelSet::all(), a);
    ASSERT_EQ(a | LabelSet(), a);
    ASSERT_EQ(a & a, a);
    ASSERT_EQ(a | a, a);
  }
}

TEST(LabelSet, ContainsOfAnInvertedSet) {
  std::vector<Label> labels = range(1000, 5000);
  labels.push_back(kLast);
  labels.push_back(0x123456789abcdef0);
  const LabelSet set = ~of(labels);
  EXPECT_TRUE(set.inverted());
  EXPECT_EQ(set.stored(), labels.size());
  for (const Label label : labels) ASSERT_FALSE(set.contains(label)) << label;
  for (const Label label :
       {Label{0}, Label{999}, Label{6000}, kLast - 1, Label{0x123456789abcdef1}}) {
    EXPECT_TRUE(set.contains(label)) << label;
  }
}

TEST(LabelSet, VisitsAscendingUntilTold) {
  std::vector<Label> labels = range(Label{5} << 32, 1000);  // a bitmap between two scattered labels
  labels.insert(labels.begin(), 17);
  labels.push_back(kLast);
  const LabelSet set = ~of(labels);
  for (const std::size_t stop : {std::size_t{1}, std::size_t{2}, std::size_t{600}, labels.size()}) {
    std::vector<Label> seen;
    set.for_each_stored([&](Label label) {
      seen.push_back(label);
      return seen.size() < stop;
    });
    EXPECT_EQ(seen, std::vector<Label>(labels.begin(),
                                       labels.begin() + static_cast<std::ptrdiff_t>(stop)));
  }
  std::size_t calls = 0;
  EXPECT_THROW(set.for_each_stored([&](Label) -> bool {
    if (++calls == 700) throw std::runtime_error("from the visit");
    return true;
  }),
               std::runtime_error);
  EXPECT_EQ(calls, 700U);
}

TEST(LabelSet, DenseLabelsAreSmall) {
  EXPECT_LT(of(range(0, 1000000)).bytes(), 10000U);
  EXPECT_LT(of(range(0, 1000000, 3)).bytes(), 400000U);
  std::mt19937_64 random(3);
  std::vector<Label> hashes(100000);
  for (Label& label : hashes) label = random();
  EXPECT_LT(of(hashes).bytes(), 11 * hashes.size());
  for (Label& label : hashes) label &= 0xffffffff;  // one or two in most chunks
  EXPECT_LT(of(hashes).bytes(), 11 * hashes.size());
}

TEST(LabelSet, CopiesAreUsedByManyThreadsAtOnce) {
  std::mt19937_64 random(11);
  std::vector<Label> labels = range(0, 20000);
  for (int i = 0; i < 2000; ++i) labels.push_back(random());
  const LabelSet shared = of(labels);
  const LabelSet odd = of(range(1, 10000, 2));
  std::array<bool, 4> right{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < right.size(); ++number) {
      threads.emplace_back([&, number] {
        bool fine = true;
        for (int round = 0; round < 20; ++round) {
          const LabelSet copy = shared;
          const LabelSet even = number % 2 == 0 ? copy - odd : ~(~copy | odd);
          fine = fine && copy == shared && even.stored() == labels.size() - 10000;
          std::size_t at = 0;
          even.for_each_stored([&](Label label) {
            fine = fine && copy.contains(label) && !odd.contains(label);
            return ++at < 5000;
          });
        }
        right[number] = fine;
      });
    }
  }
  for (const bool fine : right) EXPECT_TRUE(fine);
}

}  // namespace
}  // namespace vicinal::testing
