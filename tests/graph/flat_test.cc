// Flat graphs, and how one gets its links beside readers and writers.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::uint32_t kBound = 40;

Config flat_config(std::uint32_t dimension, Quantization quantization = Quantization::kInt8) {
  Config config = l2_config(dimension, 12, 40);
  config.quantization = quantization;
  config.smallest_graph = kBound;
  return config;
}

void expect_all_found(const Graph& g, const Rows& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Answer a = search(g, rows.row(i), 1, 50);
    ASSERT_EQ(a.found.size(), 1u);
    EXPECT_EQ(a.found[0].label, i);
    EXPECT_EQ(a.found[0].distance, 0.0f);
  }
}

TEST(Flat, SearchesCompareWithAllAndNothingIsLinked) {
  const Rows rows = clustered(kBound - 1, 12, 3);
  const auto g = make_graph(flat_config(12));
  for (std::size_t i = 0; i < rows.size(); ++i) insert(*g, i, rows.row(i));
  EXPECT_TRUE(g->flat());
  EXPECT_EQ(g->entry_point(), EntryPoint{});
  const Rows queries = clustered(20, 12, 4);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const Answer a = search(*g, queries.row(q), 7, 10);
    EXPECT_EQ(a.counters.path, SearchPath::kExactScan);
    EXPECT_EQ(a.counters.distances, rows.size());
    const Answer exact = scan(*g, queries.row(q), 7);
    ASSERT_EQ(a.found.size(), exact.found.size());
    for (std::size_t i = 0; i < exact.found.size(); ++i) {
      EXPECT_EQ(a.found[i].label, exact.found[i].label);
    }
  }
  EXPECT_TRUE(g->links(NodeId{3}).empty());
  EXPECT_EQ(g->stats().bytes_codes, 0u);
  EXPECT_EQ(g->stats().bytes_links, 0u);
  EXPECT_SOUND(*g);
}

TEST(Flat, TombstonesAreHandedOutAtOnceButForThosePinned) {
  const Rows rows = clustered(20, 5, 3);
  const auto g = make_graph(flat_config(5));
  std::vector<NodeId> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back(insert(*g, i, rows.row(i)));
  g->erase(std::span(nodes).first(4));
  ASSERT_TRUE(g->pin(nodes[1]));
  EXPECT_EQ(repair_and_recycle(*g), 3u);
  EXPECT_EQ(g->tombstones(), 1u);
  EXPECT_TRUE(g->resurrect(nodes[1]));
  EXPECT_FALSE(g->resurrect(nodes[0]));
  for (Label label = 100; label < 103; ++label) insert(*g, label, rows.row(label - 100));
  EXPECT_EQ(g->node_limit(), rows.size()) << "slots were not reused";
  EXPECT_EQ(g->live(), rows.size());
  ASSERT_TRUE(g->rebuild(2, {}).ok());
  EXPECT_TRUE(g->flat());
  EXPECT_SOUND(*g);
}

TEST(Flat, G11WhatCountsForAReaderIsNotHandedOutWhileHeIsInside) {
  const Rows rows = clustered(kBound + 1, 5, 3);
  const auto g = make_graph(flat_config(5));
  std::vector<NodeId> nodes;
  for (std::size_t i = 0; i + 1 < kBound; ++i) nodes.push_back(insert(*g, i, rows.row(i)));
  {
    const Moment inside(*g);
    g->erase(std::span(nodes).first(5));
    EXPECT_TRUE(g->repair(0, {}).waiting);
    EXPECT_TRUE(g->rebuild(1, {}).ok());
    EXPECT_FALSE(g->reclaim_topologies());
    EXPECT_TRUE(g->take_unlinked(10).empty());
    for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(inside.counts(nodes[i]));
    // Linking begins while they wait: they do not come back, and are not forgotten.
    insert(*g, kBound - 1, rows.row(kBound - 1));
    insert(*g, kBound, rows.row(kBound));
    ASSERT_FALSE(g->flat());
    EXPECT_TRUE(g->repair(0, {}).waiting);
    EXPECT_FALSE(g->resurrect(nodes[0]));
  }
  EXPECT_EQ(repair_and_recycle(*g), 5u);
  EXPECT_EQ(g->tombstones(), 0u);
  g->link_backlog(kBound);
  EXPECT_EQ(g->backlog(), 0u);
  EXPECT_SOUND(*g);
}

TEST(Flat, WhatIsCondemnedLeavesTheBacklogWithItsSlotOnly) {
  const Rows rows = clustered(kBound + 1, 5, 3);
  const auto g = make_graph(flat_config(5));
  for (std::size_t i = 0; i < kBound; ++i) insert(*g, i, rows.row(i));
  ASSERT_FALSE(g->flat());
  const Moment inside(*g);
  g->erase(NodeId{0});
  EXPECT_TRUE(g->repair(0, {}).waiting);
  EXPECT_EQ(g->link_backlog(1000), kBound - 2);
  EXPECT_TRUE(g->in_backlog(NodeId{0}));
  std::vector<Found> out(1);
  SearchRequest request;
  request.query = rows.row(0);
  request.k = 1;
  SearchCounters counters;
  ASSERT_EQ(g->search(inside, request, out, counters), 1u);
  EXPECT_EQ(out[0].label, 0u);
}

class Growing : public ::testing::TestWithParam<std::tuple<Metric, Quantization>> {};

TEST_P(Growing, LinkingBeginsBeforeTheSlotThatPassesTheBound) {
  Config config = flat_config(16, std::get<1>(GetParam()));
  config.metric = std::get<0>(GetParam());
  const bool own_is_nearest = config.metric != Metric::kInnerProduct;
  const Rows rows = clustered(300, 16, 3);
  const auto g = make_graph(config);
  for (std::size_t i = 0; i + 1 < kBound; ++i) insert(*g, i, rows.row(i));
  EXPECT_TRUE(g->flat());
  insert(*g, kBound - 1, rows.row(kBound - 1));
  EXPECT_FALSE(g->flat());
  EXPECT_EQ(g->backlog(), kBound - 1);
  for (std::size_t i = kBound; i < rows.size(); ++i) {
    insert(*g, i, rows.row(i));
    g->link_backlog(3);
    const Answer a = search(*g, rows.row(i / 3), 1, 30);
    ASSERT_EQ(a.found.size(), 1u);
    if (own_is_nearest) {
      EXPECT_EQ(a.found[0].label, i / 3);
    }
  }
  EXPECT_EQ(g->backlog(), 0u);
  EXPECT_SOUND(*g);
  EXPECT_GT(recall(*g, clustered(50, 16, 9), 10, 60).share, 0.97);
}

INSTANTIATE_TEST_SUITE_P(Metrics, Growing,
                         ::testing::Combine(::testing::Values(Metric::kSquaredL2, Metric::kCosine,
                                                              Metric::kInnerProduct),
                                            ::testing::Values(Quantization::kInt8,
                                                              Quantization::kNone)));

TEST(Flat, ABatchOrAReserveBeyondTheBoundMakesAGraphAtOnce) {
  const Rows rows = clustered(200, 8, 3);
  const auto g = build(flat_config(8), rows);
  EXPECT_FALSE(g->flat());
  g->link_backlog(kBound);
  EXPECT_SOUND(*g);
  const auto reserved = make_graph(flat_config(8));
  reserved->reserve(kBound - 1);
  EXPECT_TRUE(reserved->flat());
  reserved->reserve(kBound);
  EXPECT_FALSE(reserved->flat());
  insert(*reserved, 1, rows.row(1));
  EXPECT_TRUE(reserved->linked(NodeId{0}));
}

TEST(Flat, LongRowsBeginToBeLinkedEarlier) {
  Config config = flat_config(65536);
  config.smallest_graph = 500;
  const Rows rows = clustered(8, 65536, 3, 2);
  const auto g = make_graph(config);
  for (std::size_t i = 0; i < 7; ++i) insert(*g, i, rows.row(i));
  EXPECT_TRUE(g->flat());
  insert(*g, 7, rows.row(7));
  EXPECT_FALSE(g->flat()) << "2 MiB of rows";
  expect_all_found(*g, rows);
}

TEST(Flat, TombstonesThatAreThereWhenLinkingBeginsCanComeBack) {
  const Rows rows = clustered(kBound + 20, 8, 3);
  const auto g = make_graph(flat_config(8));
  std::vector<NodeId> nodes;
  for (std::size_t i = 0; i < 30; ++i) nodes.push_back(insert(*g, i, rows.row(i)));
  g->erase(std::span(nodes).first(10));
  const NodeId pending = add(*g, 30, rows.row(30));  // neither linked nor shown when it begins
  for (std::size_t i = 31; i < rows.size(); ++i) insert(*g, i, rows.row(i));
  ASSERT_FALSE(g->flat());
  g->link(pending);
  g->show(pending);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_TRUE(g->resurrect(nodes[i]));
  expect_all_found(*g, rows);
  g->link_backlog(rows.size());
  EXPECT_EQ(g->backlog(), 0u);
  expect_all_found(*g, rows);
  EXPECT_SOUND(*g);
}

// -- Beside readers and writers.

/// Labels up to kStable are there all the time, those up to kMoving are updated, erased and put
/// back; others come until the graph has long had links.
class GrowingInMotion {
 public:
  void run() {
    constexpr Label kLast = 3 * kBound;
    for (Label label = 0; label < kMoving; ++label) put(label);
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([this, t] {
        while (!done_.load()) read(t);
      });
    }
    threads.emplace_back([this] {
      std::mt19937_64 random(5);
      while (!done_.load()) {
        // Repair keeps up: lists full of condemned nodes are another test's.
        if (4 * graph_->tombstones() < graph_->live()) {
          move(kStable + random() % (kMoving - kStable));
        } else {
          std::this_thread::yield();
        }
      }
    });
    threads.emplace_back([this] {
      while (!done_.load()) {
        repair_and_recycle_claimed();
        graph_->link_backlog(2);
        std::this_thread::yield();
      }
    });
    for (Label label = kMoving; label < kLast; ++label) {
      put(label);
      std::this_thread::yield();
    }
    done_ = true;
    threads.clear();
    EXPECT_FALSE(graph_->flat());
    while (graph_->backlog() > 0) {  // what is condemned leaves it with its slot
      repair_and_recycle(*graph_);
      graph_->link_backlog(kLast);
    }
    EXPECT_SOUND(*graph_);
    EXPECT_EQ(wrong_.load(), 0u);
    for (Label label = kMoving; label < kLast; ++label) expect_found(label);
  }

 private:
  static constexpr Label kStable = 10;
  static constexpr Label kMoving = 16;
  static constexpr std::uint32_t kDimension = 4;

  static std::array<float, kDimension> vector_of(Label label, std::uint64_t generation) {
    return {static_cast<float>(label), static_cast<float>(generation % 16) / 64, 1, 2};
  }

  void put(Label label) {
    const std::lock_guard lock(owners_[label].mutex);
    put_locked(label);
  }
  void put_locked(Label label) {
    const auto vector = vector_of(label, ++owners_[label].generation);
    owners_[label].node = insert(*graph_, label, vector.data(), owners_[label].node);
  }
  void move(Label label) {
    if (label % 2 == 0) {
      put(label);
      return;
    }
    const std::lock_guard lock(owners_[label].mutex);
    if (owners_[label].node == kNoNode) {
      put_locked(label);
      return;
    }
    graph_->erase(owners_[label].node);
    if (graph_->resurrect(owners_[label].node)) return;
    put_locked(label);
  }

  // As the engine does: under the labels' claims.
  void repair_and_recycle_claimed() {
    graph_->repair(64, {});
    for (const NodeId node : graph_->take_unlinked(8)) {
      Owner& owner = owners_[graph_->label(node)];
      const std::lock_guard lock(owner.mutex);
      if (owner.node == node) owner.node = kNoNode;
      graph_->recycle(std::span(&node, 1));
    }
  }

  void read(int turn) {
    const Label label = static_cast<Label>(turn + reads_.fetch_add(1)) % kMoving;
    const auto near = vector_of(label, 0);
    const Answer a = search(*graph_, near.data(), 4, 4 * kBound);
    std::array<int, kMoving> seen{};
    for (const Found& f : a.found) {
      if (f.label < kMoving) ++seen[f.label];
    }
    // Even labels are updated: the old vector or the new one, never both or neither.
    const bool must = label < kStable || label % 2 == 0;
    if (seen[label] > 1 || (must && seen[label] != 1)) ++wrong_;
    if (label < kStable && (a.found.empty() || a.found[0].label != label)) ++wrong_;
  }
  void expect_found(Label label) {
    const auto vector = vector_of(label, owners_[label].generation);
    const Answer a = search(*graph_, vector.data(), 1, 60);
    ASSERT_EQ(a.found.size(), 1u);
    EXPECT_EQ(a.found[0].label, label);
  }

  struct Owner {
    std::mutex mutex;
    NodeId node = kNoNode;
    std::uint64_t generation = 0;
  };
  std::array<Owner, 3 * kBound> owners_;
  std::unique_ptr<Graph> graph_ = make_graph(flat_config(kDimension));
  std::atomic<bool> done_{false};
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> wrong_{0};
};

TEST(FlatMotion, G14G15HoldWhileLinkingBegins) {
  constexpr std::size_t kRounds = 20;
  for (std::size_t round = 0; round < for_sanitizer(kRounds); ++round) {
    GrowingInMotion().run();
    if (::testing::Test::HasFailure()) FAIL() << "round " << round;
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
