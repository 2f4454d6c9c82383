// Links planned ahead (Graph::plan_link): the outcome is that of a search at the time of linking,
// and a plan that something came between is not followed.
#include <gtest/gtest.h>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kDimension = 16;

TEST(LinkPlan, LinksAsASearchAtOnceDoes) {
  const Rows rows = clustered(1500, kDimension, 1);
  const Config config = l2_config(kDimension, 8, 60);
  const auto at_once = make_graph(config);
  const auto planned = make_graph(config);
  EXPECT_EQ(planned->plan_link(add(*planned, 0, rows.row(0))), nullptr) << "nobody to link to";
  insert(*at_once, 0, rows.row(0));
  planned->link(NodeId{0});
  planned->show(NodeId{0});
  for (std::size_t i = 1; i < rows.size(); ++i) {
    insert(*at_once, i, rows.row(i));
    const NodeId node = add(*planned, i, rows.row(i));
    const auto plan = planned->plan_link(node);
    ASSERT_NE(plan, nullptr);
    EXPECT_FALSE(planned->linked(node)) << "a plan changes nothing";
    planned->link(node, plan);
    planned->show(node);
  }
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(planned->links(NodeId{i}), at_once->links(NodeId{i})) << "node " << i;
  }
}

TEST(LinkPlan, NodesPlannedTogetherMeet) {
  // Pairs far from everybody else: planned before either is linked, only meeting can link them.
  const Rows rows = clustered(600, kDimension, 2);
  const auto g = build(l2_config(kDimension, 8, 60), rows);
  for (std::size_t pair = 0; pair < 100; ++pair) {
    std::vector<float> place(kDimension, 0.0f);
    place[pair % kDimension] = 1000.0f + static_cast<float>(pair);
    const NodeId a = add(*g, 1000 + 2 * pair, place.data());
    const NodeId b = add(*g, 1001 + 2 * pair, place.data());
    const auto plan_a = g->plan_link(a);
    const auto plan_b = g->plan_link(b);
    g->link(a, plan_a);
    g->link(b, plan_b);
    const NodeLinks links = g->links(b);
    EXPECT_NE(std::find(links[0].ids.begin(), links[0].ids.end(), a), links[0].ids.end()) << pair;
    g->show(a);
    g->show(b);
  }
  EXPECT_SOUND(*g);
}

/// Every node's links must lead to nodes that are there.
void expect_whole(const Graph& g, NodeId node) {
  for (const LevelLinks& level : g.links(node)) {
    for (const NodeId id : level.ids) EXPECT_NE(g.state(id), NodeState::kFree) << raw(id);
  }
  EXPECT_SOUND(g);
}

TEST(LinkPlan, OfNeighborsThatRepairTookIsPassedOver) {
  const Rows rows = clustered(2000, kDimension, 3);
  const auto g = build(l2_config(kDimension, 8, 60), rows);
  const NodeId node = add(*g, 5000, rows.row(7));
  const auto plan = g->plan_link(node);
  ASSERT_NE(plan, nullptr);
  // All that the plan can name goes, and its slots come to hold something else.
  const Answer near = search(*g, rows.row(7), 200, 400);
  for (const Found& f : near.found)
    EXPECT_TRUE(g->erase(NodeId{static_cast<std::uint32_t>(f.label)}));
  EXPECT_EQ(repair_and_recycle(*g), near.found.size());
  const Rows others = clustered(near.found.size(), kDimension, 4, 1, 99);
  for (std::size_t i = 0; i < others.size(); ++i) insert(*g, 6000 + i, others.row(i));
  g->link(node, plan);
  g->show(node);
  expect_whole(*g, node);
  // With the plan its links would lead to the others, wherever those are.
  const Answer exact = scan(*g, rows.row(7), 2);
  EXPECT_EQ(exact.found[0].label, 5000u);
  const NodeLinks links = g->links(node);
  EXPECT_NE(std::find(links[0].ids.begin(), links[0].ids.end(),
                      NodeId{static_cast<std::uint32_t>(exact.found[1].label)}),
            links[0].ids.end());
}

TEST(LinkPlan, OfATopologyThatARebuildReplacedIsPassedOver) {
  const Rows rows = clustered(1000, kDimension, 5);
  const auto g = build(l2_config(kDimension, 8, 60), rows);
  const NodeId node = add(*g, 5000, rows.row(3));
  const auto plan = g->plan_link(node);
  // The rebuild leaves tombstones out.
  const Answer near = search(*g, rows.row(3), 100, 200);
  for (const Found& f : near.found)
    EXPECT_TRUE(g->erase(NodeId{static_cast<std::uint32_t>(f.label)}));
  ASSERT_TRUE(g->rebuild(2, {}).ok());
  g->link(node, plan);
  g->show(node);
  for (const LevelLinks& level : g->links(node)) {
    for (const NodeId id : level.ids) EXPECT_EQ(g->state(id), NodeState::kLive) << raw(id);
  }
  expect_whole(*g, node);
}

TEST(LinkPlan, OfASmallerGraphIsPassedOver) {
  const Rows rows = clustered(2000, kDimension, 6);
  const auto g = make_graph(l2_config(kDimension, 8, 60));
  insert(*g, 0, rows.row(0));
  const NodeId node = add(*g, 1, rows.row(1));
  const auto plan = g->plan_link(node);
  for (std::size_t i = 2; i < rows.size(); ++i) insert(*g, i, rows.row(i));
  g->link(node, plan);
  g->show(node);
  const Answer exact = scan(*g, rows.row(1), 2);
  const NodeLinks links = g->links(node);
  EXPECT_NE(std::find(links[0].ids.begin(), links[0].ids.end(),
                      NodeId{static_cast<std::uint32_t>(exact.found[1].label)}),
            links[0].ids.end());
  EXPECT_SOUND(*g);
}

}  // namespace
}  // namespace vicinal::graph::testing
