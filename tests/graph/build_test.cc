// link and link_batch: recall, determinism, small graphs.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

Config config_for(std::size_t dimension, std::uint32_t M, Metric metric = Metric::kSquaredL2) {
  Config config;
  config.dimension = static_cast<std::uint32_t>(dimension);
  config.M = M;
  config.metric = metric;
  config.ef_construction = std::max(100u, M);
  return config;
}

std::unique_ptr<Graph> build_one_by_one(const Config& config, const Rows& rows) {
  std::unique_ptr<Graph> g = make_graph(config);
  for (std::size_t i = 0; i < rows.size(); ++i) insert(*g, i, rows.row(i));
  return g;
}

class Build : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(Build, FindsWhatTheScanFinds) {
  const auto [M, dimension] = GetParam();
  const std::size_t count = for_sanitizer(dimension > 100 ? 1000 : 2000);
  const Rows rows = clustered(count, dimension, 1);
  const Rows queries = clustered(100, dimension, 2);
  const Config config = config_for(dimension, M);
  const auto batch = build(config, rows);
  EXPECT_SOUND(*batch);
  const std::size_t ef = M <= 4 ? 400 : 150;
  const double batch_recall = recall(*batch, queries, 10, ef).share;
  EXPECT_GE(batch_recall, M == 4 ? 0.95 : 0.985);
  const auto single = build_one_by_one(config, rows);
  EXPECT_SOUND(*single);
  const double single_recall = recall(*single, queries, 10, ef).share;
  EXPECT_GE(single_recall, batch_recall - 0.01);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Build,
                         ::testing::Combine(::testing::Values(4, 16, 48),
                                            ::testing::Values(1, 2, 3, 16, 100, 300)),
                         [](const auto& each) {
                           std::ostringstream name;
                           name << "M" << std::get<0>(each.param) << "Dimension"
                                << std::get<1>(each.param);
                           return name.str();
                         });

TEST(AddNodes, TakesTheSameSlotsAtAnyNumberOfThreads) {
  const Rows rows = clustered(30000, 4, 5);
  const auto one = make_graph(config_for(4, 8));
  const auto many = make_graph(config_for(4, 8));
  std::vector<Graph::NewNode> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back({1000 + i, rows.bytes(i)});
  std::vector<NodeId> taken[2];
  for (int k = 0; k < 2; ++k) {
    Graph& g = k == 0 ? *one : *many;
    for (Label label = 0; label < 9; ++label) add(g, label, rows.row(0));
    const std::array<NodeId, 3> free{NodeId{4}, NodeId{2}, NodeId{7}};
    g.discard_nodes(free);
    auto added = g.add_nodes(nodes, k == 0 ? 1 : 4);
    ASSERT_TRUE(added.ok()) << added.status().to_string();
    taken[k] = *added;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const NodeId node = taken[k][i];
      ASSERT_EQ(g.label(node), 1000 + i);
      ASSERT_EQ(g.state(node), NodeState::kPending);
      ASSERT_TRUE(std::equal(rows.row(i), rows.row(i) + 4, vector_of(g, node)));
    }
    EXPECT_EQ(g.node_limit(), 9 + rows.size() - 3) << "free slots first";
  }
  EXPECT_EQ(taken[0], taken[1]);
  // The codes are the same too: else the links were not.
  one->link_batch(std::span(taken[0]).last(2000), 1, {});
  many->link_batch(std::span(taken[1]).last(2000), 1, {});
  for (std::size_t i = rows.size() - 2000; i < rows.size(); ++i) {
    ASSERT_EQ(one->links(taken[0][i]), many->links(taken[1][i])) << "row " << i;
  }
  EXPECT_EQ((*one->add_nodes({}, 2)).size(), 0u);
}

TEST(AddNodes, AFewGetSlotsInTheOrderInWhichTheyWereDiscarded) {
  const Rows rows = clustered(4, 4, 5);
  const auto g = make_graph(config_for(4, 8));
  for (Label label = 0; label < 9; ++label) add(*g, label, rows.row(0));
  g->discard_nodes(std::array<NodeId, 3>{NodeId{4}, NodeId{2}, NodeId{7}});
  std::vector<Graph::NewNode> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back({1000 + i, rows.bytes(i)});
  const auto taken = g->add_nodes(nodes, 2);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(*taken, (std::vector<NodeId>{NodeId{4}, NodeId{2}, NodeId{7}, NodeId{9}}));
}

TEST(BatchBuild, IsTheSameAtAnyNumberOfThreads) {
  const Rows rows = clustered(for_sanitizer(3000), 24, 3);
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    const Config config = config_for(24, 12, metric);
    const auto one = build(config, rows, 1);
    for (const unsigned threads : {2u, 4u}) {
      const auto many = build(config, rows, threads);
      ASSERT_EQ(one->entry_point(), many->entry_point());
      for (std::uint32_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(one->level(NodeId{i}), many->level(NodeId{i}));
        ASSERT_EQ(one->links(NodeId{i}), many->links(NodeId{i})) << "node " << i;
      }
    }
  }
}

// Rounds long enough for queues and for a sort by several threads.
TEST(BatchBuild, LongRoundsAreTheSameAtAnyNumberOfThreads) {
  const Rows rows = clustered(for_sanitizer(24'000), 8, 3);
  const Config config = config_for(8, 8);
  const auto one = build(config, rows, 1);
  const auto three = build(config, rows, 3);
  ASSERT_EQ(one->entry_point(), three->entry_point());
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(one->links(NodeId{i}), three->links(NodeId{i})) << "node " << i;
  }
}

// A row in one batch, its twin in another that is linked at the same time, and a third batch.
TEST(BatchBuild, BatchesBesideEachOtherMeet) {
  constexpr std::size_t kPairs = 300;
  const std::size_t before = 6000;
  const auto g = build(config_for(8, 8), clustered(before, 8, 1));
  const Rows first = clustered(kPairs, 8, 2);
  Rows second = first;
  for (float& x : second.values) x += 0.001f;
  const Rows third = clustered(kPairs, 8, 5);
  const std::vector<NodeId> a = add_all(*g, first, before);
  const std::vector<NodeId> b = add_all(*g, second, before + kPairs);
  const std::vector<NodeId> c = add_all(*g, third, before + 2 * kPairs);
  {
    std::vector<std::jthread> threads;
    for (const std::vector<NodeId>* nodes : {&a, &b, &c}) {
      threads.emplace_back([&g, nodes] { g->link_batch(*nodes, 1, {}); });
    }
  }
  std::size_t met = 0;
  for (std::size_t i = 0; i < kPairs; ++i) {
    met += std::ranges::count(g->links(a[i])[0].ids, b[i]) == 1 ||
                   std::ranges::count(g->links(b[i])[0].ids, a[i]) == 1
               ? 1
               : 0;
  }
  EXPECT_EQ(met, kPairs);
  EXPECT_SOUND(*g);
}

class RoundPeers : public ::testing::TestWithParam<std::size_t> {};

// Two that are each other's nearest, and come in one round, find each other by no search.
TEST_P(RoundPeers, Meet) {
  const std::size_t pairs = GetParam();
  const std::size_t before = pairs * 100;  // so that all pairs come in one round
  const auto g = build(config_for(8, 8), clustered(before, 8, 1));
  Rows rows = clustered(pairs, 8, 2);
  for (std::size_t i = 0; i < pairs * 8; ++i) rows.values.push_back(rows.values[i] + 0.001f);
  const std::vector<NodeId> nodes = add_all(*g, rows, before);
  ASSERT_TRUE(g->link_batch(nodes, 2, {}));
  std::size_t met = 0;
  for (std::size_t i = 0; i < pairs; ++i) {
    const NodeLinks links = g->links(nodes[i]);
    met += std::ranges::count(links[0].ids, nodes[pairs + i]) == 1 ? 1 : 0;
  }
  EXPECT_EQ(met, pairs);
  EXPECT_SOUND(*g);
}

INSTANTIATE_TEST_SUITE_P(SmallAndLargeRounds, RoundPeers, ::testing::Values(20, 100));

TEST(BatchBuild, CancelLeavesEachNodeLinkedWholeOrNotAtAll) {
  const Rows rows = clustered(2000, 8, 3);
  const auto g = make_graph(config_for(8, 8));
  const std::vector<NodeId> nodes = add_all(*g, rows);
  int steps = 0;
  EXPECT_FALSE(g->link_batch(nodes, 2, [&](auto, auto) { return ++steps < 20; }));
  std::vector<NodeId> linked;
  std::vector<NodeId> others;
  for (const NodeId n : nodes) (g->linked(n) ? linked : others).push_back(n);
  EXPECT_GT(linked.size(), 0u);
  EXPECT_GT(others.size(), 0u);
  g->show(linked);
  EXPECT_SOUND(*g);
  g->discard_nodes(others);
  EXPECT_EQ(g->stats().free_slots, others.size());
  EXPECT_SOUND(*g);
}

TEST(BatchBuild, OntoAGraphThatIsThere) {
  const Rows rows = clustered(3000, 16, 3);
  const Rows queries = clustered(100, 16, 4);
  const Config config = config_for(16, 16);
  const auto g = make_graph(config);
  for (std::size_t i = 0; i < 500; ++i) insert(*g, i, rows.row(i));
  std::vector<NodeId> nodes;
  for (std::size_t i = 500; i < rows.size(); ++i) nodes.push_back(add(*g, i, rows.row(i)));
  EXPECT_TRUE(g->link_batch(nodes, 2, {}));
  g->show(nodes);
  EXPECT_SOUND(*g);
  EXPECT_GE(recall(*g, queries, 10, 100).share, 0.98);
}

TEST(SmallGraphs, Empty) {
  const auto g = make_graph(config_for(4, 16));
  const std::vector<float> query(4, 1.0f);
  EXPECT_TRUE(search(*g, query.data(), 10, 64).found.empty());
  EXPECT_TRUE(scan(*g, query.data(), 10).found.empty());
  EXPECT_EQ(g->entry_point().node, kNoNode);
  EXPECT_TRUE(g->link_batch({}, 4, {}));
  EXPECT_TRUE(g->repair(0, {}).finished);
  EXPECT_TRUE(g->rebuild(2, {}).ok());
  SearchCounters counters;
  SearchRequest request;
  request.query = query.data();
  EXPECT_TRUE(g->search_radius(Moment(*g), request, 10, counters).empty());
  EXPECT_TRUE(g->scan_radius(Moment(*g), request, 10, counters).empty());
  EXPECT_TRUE(g->take_changed_nodes().empty());
  EXPECT_SOUND(*g);
}

TEST(SmallGraphs, OneTwoAndThreeNodes) {
  const Rows rows = clustered(3, 5, 9);
  for (const std::uint32_t M : {4u, 16u}) {
    for (std::size_t n = 1; n <= 3; ++n) {
      const auto g = make_graph(config_for(5, M));
      for (std::size_t i = 0; i < n; ++i) insert(*g, 100 + i, rows.row(i));
      EXPECT_SOUND(*g);
      for (std::size_t i = 0; i < n; ++i) {
        const Answer a = search(*g, rows.row(i), 10, 1);  // k > n, ef < k
        ASSERT_EQ(a.found.size(), n);
        EXPECT_EQ(a.found[0].label, 100 + i);
        EXPECT_EQ(a.found[0].distance, 0.0f);
        EXPECT_EQ(search(*g, rows.row(i), 0, 10).found.size(), 0u);
      }
      for (std::size_t i = 0; i < n; ++i) EXPECT_TRUE(g->linked(NodeId{std::uint32_t(i)}));
    }
  }
}

TEST(SmallGraphs, TiesComeByLabel) {
  const auto g = make_graph(config_for(2, 16));
  const std::vector<float> v{1, 2};
  for (const Label label : {5, 3, 9, 1, 7}) insert(*g, label, v.data());
  const Answer a = search(*g, v.data(), 3, 64);
  ASSERT_EQ(a.found.size(), 3u);
  EXPECT_EQ(a.found[0].label, 1u);
  EXPECT_EQ(a.found[1].label, 3u);
  EXPECT_EQ(a.found[2].label, 5u);
  EXPECT_SOUND(*g);
}

TEST(Payload, VectorsAreTheBitsThatWereGiven) {
  const auto g = make_graph(config_for(3, 16, Metric::kCosine));
  const std::vector<float> v{-0.0f, 1e-20f, 3.5f};
  const NodeId node = insert(*g, 1, v.data());
  EXPECT_EQ(std::memcmp(g->row(node), v.data(), sizeof(float) * 3), 0);
}

}  // namespace
}  // namespace vicinal::graph::testing
