// Copies: few values, each stored many times. Whatever was done to them, a search by a stored value
// finds it, and all of its copies where k is large enough.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <ostream>
#include <set>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

enum class Order : std::uint8_t { kInTurn, kValueByValue, kShuffled };

struct CopiedShape {
  std::size_t values;
  std::size_t copies;
  std::uint32_t dimension;
  Metric metric;
  Order order;
  bool batch;
};

std::ostream& operator<<(std::ostream& out, const CopiedShape& s) {
  return out << s.values << " x " << s.copies << ", dimension " << s.dimension << ", metric "
             << static_cast<int>(s.metric) << ", order " << static_cast<int>(s.order)
             << (s.batch ? ", batch" : ", singly");
}

/// Of a few latent components, as real data is: where every direction is as good as any other, a
/// set without copies misses some of its rows, too.
std::vector<float> row_of(Label v, std::uint32_t dimension) {
  constexpr std::uint32_t kLatent = 10;
  const std::uint32_t latent = std::min(dimension, kLatent);
  const std::vector<float> components = vector_of(v, 5, latent);
  std::vector<float> row(dimension);
  for (std::uint32_t i = 0; i < latent; ++i) {
    const std::vector<float> direction = vector_of(1'000'000 + i, 6, dimension);
    for (std::uint32_t j = 0; j < dimension; ++j) row[j] += components[i] * direction[j];
  }
  return row;
}

IndexOptions copied_options(const CopiedShape& shape) {
  IndexOptions options;
  options.dimension = shape.dimension;
  options.metric = shape.metric;
  options.threads = 2;
  options.reserve = 500;  // a graph
  return options;
}

/// What is stored, and the index that holds it.
class Copies {
 public:
  Copies(const CopiedShape& shape, Index index) : shape_(shape), index_(std::move(index)) {
    for (Label v = 0; v < shape.values; ++v) values_.push_back(value(v));
    value_of_.resize(shape.values * shape.copies);
    for (std::size_t i = 0; i < value_of_.size(); ++i) {
      value_of_[i] = shape.order == Order::kValueByValue ? i / shape.copies : i % shape.values;
    }
    if (shape.order == Order::kShuffled) {
      std::shuffle(value_of_.begin(), value_of_.end(), std::mt19937_64(3));
    }
    live_.assign(value_of_.size(), false);
  }

  Index& index() { return index_; }
  void reopen(Index index) { index_ = std::move(index); }

  void store() {
    if (!shape_.batch) {
      for (Label label = 0; label < value_of_.size(); ++label) put(label);
      return;
    }
    const std::vector<Label> labels = labels_up_to(value_of_.size());
    std::vector<float> rows;
    for (const std::size_t v : value_of_) {
      rows.insert(rows.end(), values_[v].begin(), values_[v].end());
    }
    ASSERT_TRUE(index_.upsert_batch(labels, rows).ok());
    live_.assign(value_of_.size(), true);
  }
  void put(Label label) {
    ASSERT_TRUE(index_.upsert(label, values_[value_of_[label]]).ok());
    live_[label] = true;
  }
  /// Of each value's live copies those at an odd or even place, or the first half.
  void erase(bool first_half) {
    std::vector<std::size_t> live(shape_.values);
    for (Label l = 0; l < live_.size(); ++l) live[value_of_[l]] += live_[l] ? 1 : 0;
    std::vector<std::size_t> place(shape_.values);
    for (Label l = 0; l < live_.size(); ++l) {
      if (!live_[l]) continue;
      const std::size_t v = value_of_[l];
      const std::size_t at = place[v]++;
      if (first_half ? at >= live[v] / 2 : at % 2 == 1) continue;
      ASSERT_TRUE(index_.erase(l).ok());
      live_[l] = false;
    }
  }
  void put_back() {
    for (Label l = 0; l < live_.size(); ++l) {
      if (!live_[l]) put(l);
    }
  }
  /// Every third row changes its value.
  void update() {
    for (Label l = 0; l < live_.size(); l += 3) {
      value_of_[l] = (value_of_[l] + 1) % shape_.values;
      put(l);
    }
  }
  /// Every value is found by itself, and with k copies to find all of them.
  void expect_found(const char* when) const {
    SCOPED_TRACE(::testing::Message() << shape_ << ", " << when);
    std::vector<std::set<Label>> wanted(shape_.values);
    for (Label l = 0; l < live_.size(); ++l) {
      if (live_[l]) wanted[value_of_[l]].insert(l);
    }
    std::size_t missed = 0;
    std::size_t incomplete = 0;
    for (std::size_t v = 0; v < shape_.values; ++v) {
      if (wanted[v].empty()) continue;
      const std::size_t few = std::min<std::size_t>(10, wanted[v].size());
      missed += found(v, few, wanted[v]) < few ? 1 : 0;
      incomplete += found(v, wanted[v].size(), wanted[v]) < wanted[v].size() ? 1 : 0;
    }
    EXPECT_EQ(missed, 0u);
    EXPECT_EQ(incomplete, 0u);
    const auto report = index_.validate();
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->sound()) << report->messages.front();
  }

 private:
  std::vector<float> value(Label v) const {
    std::vector<float> vector = row_of(v, shape_.dimension);
    if (shape_.metric == Metric::kInnerProduct) {  // of one length, or it is not its own nearest
      float squares = 0;
      for (const float x : vector) squares += x * x;
      for (float& x : vector) x /= std::sqrt(squares);
    }
    return vector;
  }
  std::size_t found(std::size_t v, std::size_t k, const std::set<Label>& wanted) const {
    SearchOptions options;
    options.k = k;
    const auto result = index_.search(values_[v], options);
    EXPECT_TRUE(result.ok());
    return static_cast<std::size_t>(std::count_if(
        result->begin(), result->end(), [&](const Hit& h) { return wanted.contains(h.label); }));
  }

  const CopiedShape shape_;
  Index index_;
  std::vector<std::vector<float>> values_;
  std::vector<std::size_t> value_of_;  ///< by label
  std::vector<bool> live_;
};

class CopiesTest : public ::testing::TestWithParam<CopiedShape> {};

TEST_P(CopiesTest, AreFoundWhateverWasDone) {
  Copies copies(GetParam(), *Index::in_memory(copied_options(GetParam())));
  ASSERT_NO_FATAL_FAILURE(copies.store());
  copies.expect_found("stored");
  ASSERT_NO_FATAL_FAILURE(copies.erase(true));
  copies.expect_found("the first half erased");
  ASSERT_TRUE(copies.index().repair().ok());
  copies.expect_found("repaired");
  ASSERT_NO_FATAL_FAILURE(copies.put_back());
  copies.expect_found("put back");
  ASSERT_NO_FATAL_FAILURE(copies.update());
  copies.expect_found("updated");
  ASSERT_TRUE(copies.index().repair().ok());
  copies.expect_found("updated and repaired");
  ASSERT_TRUE(copies.index().rebuild().ok());
  copies.expect_found("rebuilt");
  for (int round = 0; round < 2; ++round) {
    ASSERT_NO_FATAL_FAILURE(copies.erase(false));
    ASSERT_TRUE(copies.index().repair().ok());
    copies.expect_found("every other one erased and repaired");
  }
}

constexpr Order kInTurn = Order::kInTurn;
constexpr Order kValueByValue = Order::kValueByValue;
constexpr Order kShuffled = Order::kShuffled;

INSTANTIATE_TEST_SUITE_P(
    Shapes, CopiesTest,
    ::testing::Values(CopiedShape{500, 10, 128, Metric::kSquaredL2, kInTurn, false},
                      CopiedShape{500, 10, 128, Metric::kSquaredL2, kShuffled, true},
                      CopiedShape{20, 34, 16, Metric::kSquaredL2, kInTurn, false},
                      CopiedShape{250, 20, 100, Metric::kCosine, kValueByValue, false},
                      CopiedShape{250, 20, 100, Metric::kCosine, kValueByValue, true},
                      CopiedShape{150, 30, 100, Metric::kInnerProduct, kShuffled, false},
                      CopiedShape{150, 30, 128, Metric::kInnerProduct, kInTurn, true},
                      CopiedShape{60, 40, 2, Metric::kSquaredL2, kShuffled, false},
                      CopiedShape{60, 40, 2, Metric::kSquaredL2, kValueByValue, true},
                      CopiedShape{4, 1000, 16, Metric::kCosine, kShuffled, false},
                      CopiedShape{4, 1000, 16, Metric::kCosine, kInTurn, true},
                      CopiedShape{1, 2000, 100, Metric::kSquaredL2, kInTurn, true}));

TEST(Copies, AreFoundWithoutCodes) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    const CopiedShape shape{100, 20, 16, metric, kShuffled, metric == Metric::kCosine};
    IndexOptions options = copied_options(shape);
    options.quantization = Quantization::kNone;
    Copies copies(shape, *Index::in_memory(options));
    ASSERT_NO_FATAL_FAILURE(copies.store());
    copies.expect_found("stored");
    ASSERT_NO_FATAL_FAILURE(copies.erase(true));
    ASSERT_TRUE(copies.index().repair().ok());
    copies.expect_found("half erased and repaired");
  }
}

TEST(Copies, AreFoundAfterReopening) {
  const TemporaryFolder folder;
  const CopiedShape shape{100, 20, 32, Metric::kCosine, kShuffled, true};
  const auto open = [&] { return *Store::open(folder.file("s"), quick_store()); };
  std::optional<Store> store = open();
  Copies copies(shape, *store->index("copies", copied_options(shape)));
  ASSERT_NO_FATAL_FAILURE(copies.store());
  const auto reopen = [&](bool in_memory) {
    ASSERT_TRUE(copies.index().checkpoint().ok());
    copies.reopen(*Index::in_memory(copied_options(shape)));
    store.reset();
    store = open();
    IndexOptions options = copied_options(shape);
    options.vectors_in_memory = in_memory;
    copies.reopen(*store->index("copies", options));
  };
  ASSERT_NO_FATAL_FAILURE(reopen(true));
  copies.expect_found("reopened");
  ASSERT_NO_FATAL_FAILURE(copies.erase(true));
  ASSERT_NO_FATAL_FAILURE(reopen(false));
  copies.expect_found("reopened with tombstones, vectors in the store");
  ASSERT_TRUE(copies.index().repair().ok());
  ASSERT_NO_FATAL_FAILURE(copies.put_back());
  ASSERT_NO_FATAL_FAILURE(reopen(true));
  copies.expect_found("put back and reopened");
}

/// Values that differ in one component, by little: a list that one of them fills leads nowhere.
TEST(Copies, NearCopiesAreFound) {
  constexpr std::size_t kValues = 300;
  constexpr std::size_t kNear = 16;
  constexpr std::uint32_t kDimensions = 64;
  IndexOptions options;
  options.dimension = kDimensions;
  options.metric = Metric::kSquaredL2;
  auto index = Index::in_memory(options);
  ASSERT_TRUE(index.ok());
  const auto row = [&](std::size_t v, std::size_t copy) {
    std::vector<float> vector = row_of(v, kDimensions);
    vector[(v * 7 + copy) % kDimensions] += 0.1f;
    return vector;
  };
  for (std::size_t c = 0; c < kNear; ++c) {
    for (std::size_t v = 0; v < kValues; ++v) {
      ASSERT_TRUE(index->upsert(c * kValues + v, row(v, c)).ok());
    }
  }
  std::size_t missed = 0;
  for (std::size_t v = 0; v < kValues; ++v) {
    for (const std::size_t c : {std::size_t{0}, kNear - 1}) {
      const auto hits = index->search(row(v, c));
      ASSERT_TRUE(hits.ok());
      missed += (*hits)[0].label != c * kValues + v ? 1 : 0;
    }
  }
  EXPECT_EQ(missed, 0u);
}

/// Copies cost inserts and searches no more than other rows do.
TEST(Copies, CostNoMoreDistancesThanOtherRows) {
  const CopiedShape copied{100, 50, 32, Metric::kSquaredL2, kShuffled, false};
  const CopiedShape distinct{5000, 1, 32, Metric::kSquaredL2, kShuffled, false};
  const auto distances = [](const CopiedShape& shape) {
    Copies copies(shape, *Index::in_memory(copied_options(shape)));
    copies.store();
    std::uint64_t sum = 0;
    for (Label v = 0; v < 100; ++v) {
      const auto result = copies.index().search(row_of(7777 + v, shape.dimension));
      EXPECT_TRUE(result.ok());
      sum += result->counters.distances;
    }
    return sum;
  };
  EXPECT_LT(distances(copied), distances(distinct));
}

/// A radius takes in all copies of what lies within.
TEST(Copies, ARadiusFindsAllOfThem) {
  const CopiedShape shape{50, 200, 16, Metric::kSquaredL2, kShuffled, true};
  Copies copies(shape, *Index::in_memory(copied_options(shape)));
  ASSERT_NO_FATAL_FAILURE(copies.store());
  for (Label v = 0; v < 50; ++v) {
    const auto found = copies.index().search_radius(row_of(v, shape.dimension), 0.01f);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->size(), 200u);
  }
}

/// Few of the copies pass a filter.
TEST(Copies, AFilterFindsThoseThatPass) {
  const CopiedShape shape{50, 200, 16, Metric::kCosine, kInTurn, false};
  Copies copies(shape, *Index::in_memory(copied_options(shape)));
  ASSERT_NO_FATAL_FAILURE(copies.store());
  for (const Label each : {2, 7, 40}) {  // a copy of value v has label v + 50 * i
    SearchOptions options;
    options.k = 200 / each;
    options.filter = Filter::by([&](Label label) { return label / 50 % each == 0; });
    for (Label v = 0; v < 50; ++v) {
      const auto found = copies.index().search(row_of(v, shape.dimension), options);
      ASSERT_TRUE(found.ok());
      for (const Hit& hit : *found) EXPECT_EQ(hit.label % 50, v) << each;
      EXPECT_EQ(found->size(), options.k) << each;
    }
  }
}

}  // namespace
}  // namespace vicinal::testing
