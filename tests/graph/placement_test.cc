// Placement: a large batch lies in memory by nearness, whatever its order.
#include "graph/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kClusters = 64;

/// Row i belongs to cluster i % kClusters.
Rows interleaved(std::size_t count, std::size_t dimension) {
  const Rows centers = clustered(kClusters, dimension, 3, kClusters);
  Rows rows = clustered(count, dimension, 4, 1);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t d = 0; d < dimension; ++d) {
      float& v = rows.values[i * dimension + d];
      v = 3 * centers.row(i % kClusters)[d] + 0.1f * v;
    }
  }
  return rows;
}

std::vector<NodeId> add_batch(Graph& g, const Rows& rows, unsigned threads) {
  std::vector<Graph::NewNode> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back({i, rows.bytes(i)});
  const auto taken = g.add_nodes(nodes, threads);
  EXPECT_TRUE(taken.ok()) << taken.status().to_string();
  return taken.ok() ? *taken : std::vector<NodeId>();
}

/// Of neighboring slots, how many hold rows of one cluster.
double share_together(const Graph& g, std::size_t count) {
  std::size_t together = 0;
  for (std::uint32_t i = 0; i + 1 < count; ++i) {
    together += g.label(NodeId{i}) % kClusters == g.label(NodeId{i + 1}) % kClusters ? 1 : 0;
  }
  return static_cast<double>(together) / static_cast<double>(count - 1);
}

void expect_every_row_once(const Graph& g, const Rows& rows, std::vector<NodeId> taken) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(g.label(taken[i]), i);
    ASSERT_EQ(g.state(taken[i]), NodeState::kPending);
    ASSERT_TRUE(std::equal(rows.row(i), rows.row(i) + rows.dimension, vector_of(g, taken[i]))) << i;
  }
  std::sort(taken.begin(), taken.end());
  for (std::uint32_t i = 0; i < rows.size(); ++i) ASSERT_EQ(taken[i], NodeId{i});
}

TEST(Placement, PutsNearVectorsTogether) {
  const Rows rows = interleaved(20000, 24);
  for (const Quantization quantization : {Quantization::kInt8, Quantization::kNone}) {
    for (const Metric metric : {Metric::kCosine, Metric::kSquaredL2}) {
      Config config = l2_config(24, 8, 100);
      config.metric = metric;
      config.quantization = quantization;
      const auto one = make_graph(config);
      const std::vector<NodeId> taken = add_batch(*one, rows, 1);
      expect_every_row_once(*one, rows, taken);
      EXPECT_GE(share_together(*one, rows.size()), 0.97);
      const auto many = make_graph(config);
      EXPECT_EQ(add_batch(*many, rows, 4), taken) << "does not depend on the threads";
    }
  }
}

TEST(Placement, FillsFreeSlotsInAscendingOrder) {
  const Rows rows = interleaved(6000, 24);
  const auto g = make_graph(l2_config(24, 8, 100));
  g->discard_nodes(add_batch(*g, rows, 2));
  const std::vector<NodeId> taken = add_batch(*g, rows, 2);
  expect_every_row_once(*g, rows, taken);
  EXPECT_GE(share_together(*g, rows.size()), 0.97);
}

TEST(Placement, OfEqualVectorsKeepsTheirOrder) {
  const Rows rows{3, std::vector<float>(std::size_t{3} * 40000, 0.25f)};
  const auto g = make_graph(l2_config(3, 8, 100));
  const std::vector<NodeId> taken = add_batch(*g, rows, 2);
  expect_every_row_once(*g, rows, taken);
  EXPECT_TRUE(std::is_sorted(taken.begin(), taken.end()));
}

// Where each split takes away few, or distances are infinite, it ends all the same.
TEST(Placement, EndsWhereOneLeaderDrawsAll) {
  for (const Quantization quantization : {Quantization::kInt8, Quantization::kNone}) {
    for (const Metric metric : {Metric::kInnerProduct, Metric::kSquaredL2}) {
      Rows rows{2, {}};
      for (int i = 0; i < 30000; ++i) {
        rows.values.push_back(std::ldexp(1.0f, i % 254 - 126));
        rows.values.push_back(static_cast<float>(i % 7));
      }
      Config config = l2_config(2, 8, 100);
      config.metric = metric;
      config.quantization = quantization;
      const auto g = make_graph(config);
      expect_every_row_once(*g, rows, add_batch(*g, rows, 2));
    }
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
