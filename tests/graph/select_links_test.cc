// select_links and LinkList::prune against a naive reference.
#include "graph/select_links.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "graph/copies.h"
#include "graph/graph_state.h"
#include "graph/link_list.h"
#include "graph/scorer.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

class State {
 public:
  State(const Config& config, const Rows& rows)
      : state_(config, **kernels::active_kernels(), nullptr) {
    state_.grow(rows.size());
    state_.next_slot = rows.size();
    const BorrowedScratch scratch(state_.scratches);
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      state_.write_payload(NodeId{i}, i, 0, rows.bytes(i), *scratch);
      state_.set_state(NodeId{i}, NodeState::kLive);
    }
  }
  GraphState& operator*() { return state_; }

 private:
  GraphState state_;
};

float distance(const GraphState& g, NodeId a, NodeId b, Scratch& scratch) {
  return Scorer::for_node(g, a, Scorer::Side::kSecond, scratch)(b);
}

// The rule, written down the slow way: the room that is not reserved for needed ones goes to
// those, nearest first, that no kept one occludes.
std::vector<NodeId> reference(const GraphState& g, NodeId base,
                              const std::vector<LinkCandidate>& candidates, std::size_t limit,
                              Scratch& scratch) {
  std::size_t needed = 0;
  for (const LinkCandidate& c : candidates) needed += c.needed ? 1 : 0;
  std::size_t ordinary = 0;
  std::vector<Neighbor> kept;
  const auto occludes = [&](const Neighbor& k, const Neighbor& c) {
    return same_value(g, k.node, c.node) ||
           (!same_value(g, base, k.node) && distance(g, k.node, c.node, scratch) < c.distance);
  };
  for (const LinkCandidate& c : candidates) {
    if (!c.needed) {
      if (ordinary + needed >= limit) continue;
      if (std::any_of(kept.begin(), kept.end(),
                      [&](const Neighbor& k) { return occludes(k, c.neighbor); })) {
        continue;
      }
      ++ordinary;
    }
    kept.push_back(c.neighbor);
  }
  std::vector<NodeId> nodes;
  for (const Neighbor& n : kept) nodes.push_back(n.node);
  return nodes;
}

Rows points_with_ties(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  Rows rows{3, {}};
  for (std::size_t i = 0; i < count * 3; ++i) {
    rows.values.push_back(static_cast<float>(static_cast<int>(random() % 5) - 2));
  }
  for (std::size_t i = 0; i < count; ++i) rows.values[i * 3] += 3;  // no zero vector
  return rows;
}

void compare_with_reference(const Config& config, const Rows& rows, std::uint64_t seed) {
  State state(config, rows);
  GraphState& g = *state;
  const BorrowedScratch scratch(g.scratches);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    const NodeId base{static_cast<std::uint32_t>(random() % rows.size())};
    std::vector<LinkCandidate> candidates;
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      if (NodeId{i} == base || random() % 3 == 0) continue;
      const float d = distance(g, base, NodeId{i}, *scratch);
      candidates.push_back({{d, NodeId{i}}, random() % 16 == 0});
    }
    std::sort(candidates.begin(), candidates.end(),
              [](const auto& a, const auto& b) { return a.neighbor < b.neighbor; });
    const std::size_t limit = 1 + random() % 20;
    const std::vector<NodeId> expected = reference(g, base, candidates, limit, *scratch);
    const std::size_t kept = select_links(g, base, candidates, limit, *scratch);
    std::vector<NodeId> got;
    for (std::size_t i = 0; i < kept; ++i) got.push_back(candidates[i].neighbor.node);
    ASSERT_EQ(got, expected) << "round " << round << " limit " << limit;
  }
}

TEST(SelectLinks, EqualsTheNaiveRule) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    for (const Quantization q : {Quantization::kInt8, Quantization::kNone}) {
      Config config;
      config.metric = metric;
      config.quantization = q;
      SCOPED_TRACE(::testing::Message() << static_cast<int>(metric) << static_cast<int>(q));
      config.dimension = 20;
      compare_with_reference(config, clustered(120, 20, 3), 1);
      config.dimension = 3;
      compare_with_reference(config, points_with_ties(5, 120), 2);
    }
  }
}

TEST(SelectLinks, KeepsOneOfManyEqualVectors) {
  Rows rows{2, {}};
  for (int i = 0; i < 100; ++i) rows.values.insert(rows.values.end(), {1.0f, 2.0f});
  Config config;
  config.dimension = 2;
  config.metric = Metric::kSquaredL2;
  State state(config, rows);
  const BorrowedScratch scratch((*state).scratches);
  std::vector<LinkCandidate> candidates;
  for (std::uint32_t i = 1; i < 100; ++i) candidates.push_back({{0, NodeId{i}}, i == 50});
  const std::size_t kept = select_links(*state, NodeId{0}, candidates, 16, *scratch);
  ASSERT_EQ(kept, 2u);
  EXPECT_EQ(candidates[0].neighbor.node, NodeId{1});
  EXPECT_EQ(candidates[1].neighbor.node, NodeId{50});  // needed, whatever the rule says
}

TEST(LinkList, G9PruningKeepsTreeLinksAndG2KeepsTheListShort) {
  Config config;
  config.dimension = 8;
  config.M = 8;
  const Rows rows = clustered(200, 8, 5);
  State state(config, rows);
  GraphState& g = *state;
  Topology topology(g.epochs);
  begin_linking(topology);
  topology.grow(200);
  const BorrowedScratch scratch(g.scratches);
  std::mt19937_64 random(1);
  for (int round = 0; round < 100; ++round) {
    const NodeId owner{static_cast<std::uint32_t>(random() % 200)};
    LinkList list(g, owner, 0, *scratch);
    std::set<NodeId> children;
    NodeId parent = kNoNode;
    const std::size_t count = 10 + random() % 60;
    for (std::uint32_t i = 0; i < 200 && list.entries().size() < count; ++i) {
      const NodeId id{(i * 61 + round) % 200};
      if (id == owner) continue;
      LinkList::Kind kind = LinkList::Kind::kOrdinary;
      if (parent == kNoNode && random() % 10 == 0) {
        parent = id;
        kind = LinkList::Kind::kParent;
      } else if (children.size() < g.max_children(0) && random() % 4 == 0) {
        children.insert(id);
        kind = LinkList::Kind::kChild;
      }
      list.add({distance(g, owner, id, *scratch), id}, kind);
    }
    list.prune_if_overfull();
    ASSERT_LE(list.entries().size(), g.max_links(0));
    ASSERT_EQ(list.parent(), parent);
    ASSERT_EQ(list.child_count(), children.size());
    list.publish(topology);
    const BlockHeader* block = topology.block(owner, 0);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(block->parent, parent);
    const std::span<const NodeId> first = block->children();
    EXPECT_EQ(std::set<NodeId>(first.begin(), first.end()), children);
    LinkList again(g, owner, 0, *scratch);
    ASSERT_TRUE(again.load(topology));
    EXPECT_EQ(again.parent(), parent);
    EXPECT_EQ(again.child_count(), children.size());
  }
}

// Whatever happens to a list between two prunings, what it knows about its settled links saves
// comparisons and changes nothing.
void compare_incremental_pruning(const Config& config, const Rows& rows, std::uint64_t seed,
                                 int& saved) {
  State state(config, rows);
  GraphState& g = *state;
  Topology topology(g.epochs);
  begin_linking(topology);
  topology.grow(rows.size());
  const BorrowedScratch scratch(g.scratches);
  std::mt19937_64 random(seed);
  const NodeId owner{0};
  LinkList(g, owner, 0, *scratch).publish(topology);
  for (int round = 0; round < 200; ++round) {
    LinkList list(g, owner, 0, *scratch);
    ASSERT_TRUE(list.load(topology));
    for (std::uint64_t i = random() % 12; i > 0; --i) {
      const NodeId id{static_cast<std::uint32_t>(1 + random() % (rows.size() - 1))};
      LinkList::Entry* const present = list.find(id);
      if (present == nullptr) {
        list.add({distance(g, owner, id, *scratch), id}, LinkList::Kind::kOrdinary);
      } else if (random() % 4 == 0) {  // it goes
        *present = list.entries().back();
        list.entries().pop_back();
      } else if (random() % 2 == 0) {
        if (present->kind == LinkList::Kind::kChild) {
          present->kind = LinkList::Kind::kOrdinary;
        } else if (list.child_count() < g.max_children(0)) {
          present->kind = LinkList::Kind::kChild;
        }
      } else if (present->kind == LinkList::Kind::kOrdinary) {
        list.clear_parent();
        list.find(id)->kind = LinkList::Kind::kParent;
      }
    }
    if (random() % 3 == 0 || list.entries().size() > g.max_links(0)) {
      LinkList unknown = list;
      for (LinkList::Entry& e : unknown.entries()) e.settled = false;
      const std::uint64_t before = scratch->distances_computed;
      list.prune();
      const std::uint64_t between = scratch->distances_computed;
      unknown.prune();
      ASSERT_EQ(list.entries().size(), unknown.entries().size()) << "round " << round;
      for (std::size_t i = 0; i < list.entries().size(); ++i) {
        ASSERT_EQ(list.entries()[i].neighbor.node, unknown.entries()[i].neighbor.node);
        ASSERT_EQ(list.entries()[i].kind, unknown.entries()[i].kind);
      }
      ASSERT_LE(between - before, scratch->distances_computed - between);
      saved += between - before < scratch->distances_computed - between ? 1 : 0;
    }
    list.publish(topology);
  }
}

TEST(LinkList, IncrementalPruningEqualsTheFullOne) {
  int saved = 0;  // prunings that were cheaper
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    for (const Quantization q : {Quantization::kInt8, Quantization::kNone}) {
      Config config;
      config.metric = metric;
      config.quantization = q;
      config.M = 8;
      SCOPED_TRACE(::testing::Message() << static_cast<int>(metric) << static_cast<int>(q));
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        config.dimension = 20;
        compare_incremental_pruning(config, clustered(120, 20, seed), seed, saved);
        config.dimension = 3;
        compare_incremental_pruning(config, points_with_ties(seed, 120), seed, saved);
      }
    }
  }
  EXPECT_GT(saved, 100);
}

// A list that a selection made takes one more link for one comparison with each of its links.
TEST(LinkList, OneMoreLinkCostsOneComparisonEach) {
  Config config;
  config.dimension = 20;
  config.M = 16;
  const Rows rows = clustered(200, 20, 9);
  State state(config, rows);
  GraphState& g = *state;
  Topology topology(g.epochs);
  begin_linking(topology);
  topology.grow(200);
  const BorrowedScratch scratch(g.scratches);
  const NodeId owner{0};
  LinkList list(g, owner, 0, *scratch);
  for (std::uint32_t i = 1; i < 100; ++i) {
    list.add({distance(g, owner, NodeId{i}, *scratch), NodeId{i}}, LinkList::Kind::kOrdinary);
  }
  list.prune();
  const std::size_t links = list.entries().size();
  list.publish(topology);
  for (std::uint32_t i = 100; i < 200; ++i) {
    LinkList again(g, owner, 0, *scratch);
    ASSERT_TRUE(again.load(topology));
    again.add({distance(g, owner, NodeId{i}, *scratch), NodeId{i}}, LinkList::Kind::kOrdinary);
    const std::uint64_t before = scratch->distances_computed;
    again.prune();
    ASSERT_LE(scratch->distances_computed - before, links);
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
