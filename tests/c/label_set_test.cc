// Label sets through the C ABI.
#include <limits>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

Handle<vicinal_label_set> set_of(const std::vector<Label>& labels) {
  vicinal_label_set* set = nullptr;
  EXPECT_C_OK(vicinal_label_set_create(labels.data(), labels.size(), &set));
  return Handle<vicinal_label_set>(set);
}

std::vector<Label> stored_of(const vicinal_label_set* set) {
  std::uint64_t stored = 0;
  EXPECT_C_OK(vicinal_label_set_stored(set, &stored));
  std::vector<Label> labels(stored);
  std::size_t count = 0;
  EXPECT_C_OK(vicinal_label_set_copy_stored(set, labels.data(), labels.size(), &count));
  EXPECT_EQ(count, stored);
  return labels;
}

using Combine = vicinal_status (*)(const vicinal_label_set*, const vicinal_label_set*,
                                   vicinal_label_set**);
Handle<vicinal_label_set> combined(Combine combine, const Handle<vicinal_label_set>& a,
                                   const Handle<vicinal_label_set>& b) {
  vicinal_label_set* set = nullptr;
  EXPECT_C_OK(combine(a.get(), b.get(), &set));
  return Handle<vicinal_label_set>(set);
}

Handle<vicinal_label_set> inverse(const Handle<vicinal_label_set>& a) {
  vicinal_label_set* set = nullptr;
  EXPECT_C_OK(vicinal_label_set_not(a.get(), &set));
  return Handle<vicinal_label_set>(set);
}

bool contains(const Handle<vicinal_label_set>& set, Label label) {
  bool contained = false;
  EXPECT_C_OK(vicinal_label_set_contains(set.get(), label, &contained));
  return contained;
}

std::uint64_t size_of(const Handle<vicinal_label_set>& set) {
  std::uint64_t size = 0;
  EXPECT_C_OK(vicinal_label_set_size(set.get(), &size));
  return size;
}

bool inverted(const Handle<vicinal_label_set>& set) {
  bool answer = false;
  EXPECT_C_OK(vicinal_label_set_inverted(set.get(), &answer));
  return answer;
}

TEST(CLabelSet, HoldsWhatItWasGiven) {
  const auto set = set_of({9, 3, 3, std::numeric_limits<Label>::max()});
  EXPECT_EQ(size_of(set), 3u);
  EXPECT_TRUE(contains(set, 3));
  EXPECT_FALSE(contains(set, 4));
  EXPECT_FALSE(inverted(set));
  EXPECT_EQ(stored_of(set.get()), (std::vector<Label>{3, 9, std::numeric_limits<Label>::max()}));
  std::uint64_t bytes = 0;
  ASSERT_C_OK(vicinal_label_set_bytes(set.get(), &bytes));
  EXPECT_GT(bytes, 0u);
  vicinal_label_set* empty = nullptr;
  ASSERT_C_OK(vicinal_label_set_create(nullptr, 0, &empty));
  const Handle<vicinal_label_set> owner(empty);
  EXPECT_EQ(size_of(owner), 0u);
}

TEST(CLabelSet, Combines) {
  const auto a = set_of({1, 2, 3});
  const auto b = set_of({3, 4});
  EXPECT_EQ(stored_of(combined(vicinal_label_set_and, a, b).get()), (std::vector<Label>{3}));
  EXPECT_EQ(stored_of(combined(vicinal_label_set_or, a, b).get()),
            (std::vector<Label>{1, 2, 3, 4}));
  EXPECT_EQ(stored_of(combined(vicinal_label_set_minus, a, b).get()), (std::vector<Label>{1, 2}));
  const auto others = inverse(a);
  EXPECT_TRUE(inverted(others));
  EXPECT_FALSE(contains(others, 2));
  EXPECT_TRUE(contains(others, 77));

  vicinal_label_set* made = nullptr;
  ASSERT_C_OK(vicinal_label_set_all(&made));
  const Handle<vicinal_label_set> all(made);
  EXPECT_EQ(size_of(all), std::numeric_limits<std::uint64_t>::max());
  bool equal = false;
  ASSERT_C_OK(vicinal_label_set_equal(combined(vicinal_label_set_or, a, inverse(a)).get(),
                                      all.get(), &equal));
  EXPECT_TRUE(equal);
  ASSERT_C_OK(vicinal_label_set_equal(a.get(), b.get(), &equal));
  EXPECT_FALSE(equal);
}

TEST(CLabelSet, IsCopiedAndVisitedInOrderAsFarAsAsked) {
  const auto set = set_of({5, 1, 4, 2});
  std::vector<Label> labels(4, 4711);
  std::size_t count = 0;
  ASSERT_C_OK(vicinal_label_set_copy_stored(set.get(), labels.data(), 3, &count));
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(labels, (std::vector<Label>{1, 2, 4, 4711}));
  ASSERT_C_OK(vicinal_label_set_copy_stored(set.get(), nullptr, 0, &count));
  EXPECT_EQ(count, 0u);
  std::vector<Label> seen;
  const vicinal_label_visitor two = [](void* context, std::uint64_t label) {
    auto& kept = *static_cast<std::vector<Label>*>(context);
    kept.push_back(label);
    return kept.size() < 2;
  };
  ASSERT_C_OK(vicinal_label_set_for_each_stored(set.get(), two, &seen));
  EXPECT_EQ(seen, (std::vector<Label>{1, 2}));
}

// A search needs the set for its own length only.
TEST(CLabelSet, OutlivesNothing) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 50);
  auto set = set_of({1, 2, 3});
  auto others = inverse(set);
  set.reset();
  INITIALISED(search_options, options);
  options.labels = others.get();
  const std::vector<float> query = vector_of(2);
  std::vector<Label> labels(50);
  std::size_t found = 0;
  ASSERT_C_OK(vicinal_index_search(index.get(), query.data(), kDimension, 50, &options,
                                   labels.data(), nullptr, &found, nullptr));
  EXPECT_EQ(found, 47u);
}

TEST(CLabelSet, RefusesCountsThatMemoryCannotHave) {
  const Label label = 1;
  auto* set = reinterpret_cast<vicinal_label_set*>(1);
  EXPECT_C(vicinal_label_set_create(&label, std::numeric_limits<std::size_t>::max(), &set),
           VICINAL_INVALID_ARGUMENT, "labels: 18446744073709551615 rows");
  EXPECT_EQ(set, nullptr);
}

}  // namespace
}  // namespace vicinal::testing
