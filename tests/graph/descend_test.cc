// The descent through the upper levels: what its breadth is for.
#include <gtest/gtest.h>

#include <vector>

#include "graph/forward_links.h"
#include "graph/graph_state.h"
#include "graph/search_layer.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

// A level 1 on a line, the query at 0. From A (10) lead links to B (5), a dead end, and C (6); only
// C leads to D (1).
class Descend : public ::testing::Test {
 protected:
  static constexpr NodeId kA{0}, kB{1}, kC{2}, kD{3};

  Descend() : g_(config(), **kernels::active_kernels(), nullptr), t_(*g_.topology.load()) {
    const std::vector<float> points = {10, 5, 6, 1};
    g_.grow(points.size());
    g_.next_slot = points.size();
    const BorrowedScratch scratch(g_.scratches);
    for (std::uint32_t i = 0; i < points.size(); ++i) {
      g_.write_payload(NodeId{i}, i, 1, bytes_of(&points[i]), *scratch);
      g_.set_state(NodeId{i}, NodeState::kLive);
      t_.make_upper(NodeId{i}, 1);
    }
    link(kA, {kB, kC}, *scratch);
    link(kB, {kA}, *scratch);
    link(kC, {kA, kD}, *scratch);
    link(kD, {kC}, *scratch);
  }

  static Config config() {
    Config config;
    config.dimension = 1;
    config.metric = Metric::kSquaredL2;
    config.quantization = Quantization::kNone;
    return config;
  }

  void link(NodeId node, const std::vector<NodeId>& to, Scratch& scratch) {
    ForwardLinks forward{1, {}};
    for (const NodeId n : to) forward.links.push_back({1, n});
    publish_forward_links(g_, t_, node, forward, scratch);
  }

  std::vector<NodeId> from_a(std::size_t breadth) {
    const BorrowedScratch scratch(g_.scratches);
    const float query = 0;
    const Scorer score = Scorer::for_query(g_, &query, *scratch);
    std::vector<NodeId> nodes;
    for (const Neighbor& n : descend(g_, t_, score, {score(kA), kA}, 1, 0, breadth, *scratch)) {
      EXPECT_EQ(n.distance, score(n.node));
      nodes.push_back(n.node);
    }
    return nodes;
  }

  GraphState g_;
  Topology& t_;
};

TEST_F(Descend, TheNearestAloneEndsInTheNearestDeadEnd) { EXPECT_EQ(from_a(1), std::vector{kB}); }

TEST_F(Descend, TheNearestTwoGetPastIt) { EXPECT_EQ(from_a(2), (std::vector{kD, kB})); }

TEST_F(Descend, AsManyAsThereAre) { EXPECT_EQ(from_a(4), (std::vector{kD, kB, kC, kA})); }

TEST(DescentBreadth, GrowsWithTheIndex) {
  EXPECT_EQ(descent_breadth(0), 1u);
  EXPECT_EQ(descent_breadth(131'071), 1u);
  EXPECT_EQ(descent_breadth(131'072), 2u);
  EXPECT_EQ(descent_breadth(262'144), 3u);
  EXPECT_EQ(descent_breadth(524'288), 4u);
  EXPECT_EQ(descent_breadth(std::uint64_t{1} << 31), 4u);
}

}  // namespace
}  // namespace vicinal::graph::testing
