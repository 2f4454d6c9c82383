// Restoring links: a round trip, and links from damaged or hostile records.
#include <gtest/gtest.h>

#include <random>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

struct Saved {
  Config config;
  Rows rows;
  std::vector<Level> levels;
  std::vector<NodeState> states;
  std::vector<NodeLinks> links;
  EntryPoint entry;
};

Saved save(const Graph& g, const Rows& rows) {
  Saved saved{g.config(), rows, {}, {}, {}, g.entry_point()};
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    saved.levels.push_back(g.level(NodeId{i}));
    saved.states.push_back(g.state(NodeId{i}));
    saved.links.push_back(g.links(NodeId{i}));
  }
  return saved;
}

struct Restored {
  std::unique_ptr<Graph> graph;
  std::size_t refused = 0;
  std::uint64_t left_out = 0;
  std::uint64_t roots = 0;
};

// As the engine does it: nodes, links, the trees, then links for those that have none.
Restored restore(const Saved& saved, bool damaged) {
  Restored r{make_graph(saved.config)};
  const auto count = static_cast<std::uint32_t>(saved.rows.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    EXPECT_TRUE(
        r.graph->place_node(NodeId{i}, i, saved.levels[i], saved.rows.bytes(i), saved.states[i])
            .ok());
  }
  r.graph->finish_placing(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::vector<LevelLinksView> levels;
    for (const LevelLinks& l : saved.links[i]) levels.push_back({l.parent, l.child_count, l.ids});
    const StoredLinks stored{NodeId{i}, levels};
    const RestoredLinks report = r.graph->restore_links({&stored, 1});
    r.refused += report.rejected_nodes;
    r.left_out += report.left_out;
    r.roots += report.roots;
  }
  r.graph->finish_restoring(saved.entry, damaged, 1);
  std::vector<NodeId> missing;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!r.graph->linked(NodeId{i})) missing.push_back(NodeId{i});
  }
  r.graph->link_batch(missing, 1, {});
  return r;
}

Saved saved_graph(std::size_t count = 1200) {
  const Rows rows = clustered(count, 6, 1);
  const auto g = build(l2_config(6, 6, 60), rows);
  for (std::uint32_t i = 0; i < count; i += 10) g->erase(NodeId{i});
  return save(*g, rows);
}

void expect_usable(const Graph& g, const Saved& saved) {
  EXPECT_SOUND(g);
  std::size_t lost = 0;
  for (std::uint32_t i = 0; i < saved.rows.size(); ++i) {
    if (g.state(NodeId{i}) != NodeState::kLive) continue;
    const Answer a = search(g, saved.rows.row(i), 1, 200);
    lost += a.found.size() == 1 && a.found[0].distance == 0 ? 0 : 1;
  }
  EXPECT_LE(lost, saved.rows.size() / 200);
}

TEST(Restore, RoundTripGivesTheSameLinksAndAnswers) {
  const Rows rows = clustered(1500, 6, 1);
  const auto g = build(l2_config(6, 6, 60), rows);
  for (std::uint32_t i = 0; i < 1500; i += 10) g->erase(NodeId{i});
  const Saved saved = save(*g, rows);
  const Restored r = restore(saved, false);
  EXPECT_EQ(r.refused, 0u);
  EXPECT_EQ(r.left_out, 0u);
  EXPECT_EQ(r.roots, saved.entry.level + 1u) << "a tree on each level";
  EXPECT_EQ(r.graph->entry_point(), g->entry_point());
  EXPECT_EQ(r.graph->live(), g->live());
  EXPECT_EQ(r.graph->tombstones(), g->tombstones());
  for (std::uint32_t i = 0; i < 1500; ++i) {
    ASSERT_EQ(r.graph->links(NodeId{i}), g->links(NodeId{i}));
  }
  EXPECT_TRUE(r.graph->take_changed_nodes().empty());
  EXPECT_SOUND(*r.graph);
  const Rows queries = clustered(100, 6, 2);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const Answer a = search(*g, queries.row(q), 10, 50);
    const Answer b = search(*r.graph, queries.row(q), 10, 50);
    ASSERT_EQ(a.found.size(), b.found.size());
    for (std::size_t i = 0; i < a.found.size(); ++i) {
      EXPECT_EQ(a.found[i].label, b.found[i].label);
      EXPECT_EQ(a.found[i].distance, b.found[i].distance);
    }
  }
  const Rows more = clustered(300, 6, 5);
  for (std::size_t i = 0; i < more.size(); ++i) {
    insert(*g, 5000 + i, more.row(i));
    insert(*r.graph, 5000 + i, more.row(i));
  }
  EXPECT_SOUND(*r.graph);
  repair_and_recycle(*r.graph);
  EXPECT_SOUND(*r.graph);
}

// A repair pass was cut short: its tombstones come back as a tree of their own beside that of the
// nodes which were linked since.
TEST(Restore, SeveralTreesAreCounted) {
  const Rows rows = clustered(600, 6, 1);
  const auto g = build(l2_config(6, 6, 60), rows);
  const Level top = g->entry_point().level;
  ASSERT_GT(top, 1u);
  for (std::uint32_t i = 0; i < 600; ++i) {
    if (g->level(NodeId{i}) >= 1) g->erase(NodeId{i});
  }
  (void)g->repair(1, {});  // condemns them
  const Rows more = clustered(600, 6, 2);
  for (std::size_t i = 0; i < 600; ++i) insert(*g, 1000 + i, more.row(i));
  Rows all = rows;
  all.values.insert(all.values.end(), more.values.begin(), more.values.end());
  const Saved saved = save(*g, all);
  const Restored torn = restore(saved, false);
  EXPECT_GT(torn.roots, saved.entry.level + 1u);
  const Restored mended = restore(saved, true);
  EXPECT_SOUND(*mended.graph);
}

TEST(Restore, RefusesListsThatCannotBe) {
  Saved saved = saved_graph(300);
  const auto expect_refused = [&](const char* what, const std::function<void(NodeLinks&)>& spoil) {
    Saved spoiled = saved;
    spoil(spoiled.links[7]);
    const Restored r = restore(spoiled, true);
    EXPECT_EQ(r.refused, 1u) << what;
    expect_usable(*r.graph, spoiled);
  };
  expect_refused("no level", [](NodeLinks& l) { l.clear(); });
  expect_refused("a level too many", [](NodeLinks& l) { l.push_back(l.back()); });
  expect_refused("twice", [](NodeLinks& l) { l[0].ids.back() = l[0].ids.front(); });
  expect_refused("itself", [](NodeLinks& l) { l[0].ids.back() = NodeId{7}; });
  expect_refused("children", [](NodeLinks& l) { l[0].child_count = 1000; });
  expect_refused("too long", [](NodeLinks& l) {
    for (std::uint32_t i = 100; i < 113; ++i) l[0].ids.push_back(NodeId{i});
  });
  expect_refused("the parent among the children", [](NodeLinks& l) {
    l[0].child_count = static_cast<std::uint32_t>(l[0].ids.size());
    l[0].parent = l[0].ids[0];
  });
}

TEST(Restore, LeavesOutLinksToNowhere) {
  Saved saved = saved_graph(300);
  saved.links[7][0].ids[0] = NodeId{300};
  saved.links[8][0].ids[0] = kNoNode;
  saved.links[9][0].ids[0] = NodeId{0x7FFFFFFF};
  for (std::uint32_t i = 0; i < 300; ++i) {
    if (saved.levels[i] == 0) continue;
    const auto low = static_cast<std::uint32_t>(
        std::find(saved.levels.begin(), saved.levels.end(), 0u) - saved.levels.begin());
    saved.links[i][1].ids = {NodeId{low}};  // stands on level 0 only
    saved.links[i][1].child_count = 0;
    break;
  }
  const Restored r = restore(saved, true);
  EXPECT_EQ(r.refused, 0u);
  EXPECT_EQ(r.left_out, 4u);
  expect_usable(*r.graph, saved);
}

TEST(Restore, G9CyclicAndMissingParentsAreMended) {
  {
    Saved saved = saved_graph(300);
    for (std::uint32_t i = 0; i < 300; i += 3) saved.links[i][0].parent = kNoNode;
    const Restored r = restore(saved, true);
    expect_usable(*r.graph, saved);
  }
  {
    // The root and one of its children hang from each other.
    Saved saved = saved_graph(300);
    for (std::uint32_t i = 0; i < 300; ++i) {
      LevelLinks& root = saved.links[i][0];
      if (root.parent != kNoNode || root.child_count == 0) continue;
      const NodeId first = root.ids[0];
      const auto pair = [](LevelLinks& l, NodeId other) {
        std::erase(l.ids, other);
        l.ids.resize(std::min<std::size_t>(l.ids.size(), 8));
        l.ids.insert(l.ids.begin(), NodeId{raw(other)});
        l.child_count = 1;
      };
      LevelLinks& child = saved.links[raw(first)][0];
      pair(child, NodeId{i});
      pair(root, first);
      // Both lists: parent stands behind the children, a third node closes the circle.
      const NodeId third = child.ids.back();
      LevelLinks& last = saved.links[raw(third)][0];
      pair(child, third);
      if (std::find(child.ids.begin(), child.ids.end(), NodeId{i}) == child.ids.end()) {
        child.ids.push_back(NodeId{i});
      }
      child.parent = NodeId{i};
      pair(last, NodeId{i});
      if (std::find(last.ids.begin(), last.ids.end(), first) == last.ids.end()) {
        last.ids.push_back(first);
      }
      last.parent = first;
      if (std::find(root.ids.begin(), root.ids.end(), third) == root.ids.end()) {
        root.ids.push_back(third);
      }
      root.parent = third;
      break;
    }
    const Restored r = restore(saved, true);
    expect_usable(*r.graph, saved);
    std::size_t roots = 0;
    for (std::uint32_t i = 0; i < 300; ++i) {
      roots += r.graph->links(NodeId{i})[0].parent == kNoNode ? 1 : 0;
    }
    EXPECT_EQ(roots, 1u);
    for (std::uint32_t i = 0; i < 300; i += 2) r.graph->erase(NodeId{i});
    repair_and_recycle(*r.graph);
    EXPECT_SOUND(*r.graph);
  }
}

TEST(Restore, RandomDamageIsMended) {
  const Saved good = saved_graph(500);
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Saved saved = good;
    std::mt19937_64 random(seed);
    for (int i = 0; i < 200; ++i) {
      NodeLinks& links = saved.links[random() % 500];
      if (links.empty()) continue;
      LevelLinks& l = links[random() % links.size()];
      switch (random() % 6) {
        case 0:
          l.parent = NodeId{static_cast<std::uint32_t>(random() % 510)};
          break;
        case 1:
          if (!l.ids.empty()) l.parent = l.ids[random() % l.ids.size()];
          break;
        case 2:
          l.child_count = static_cast<std::uint32_t>(random() % 12);
          break;
        case 3:
          std::shuffle(l.ids.begin(), l.ids.end(), random);
          break;
        case 4:
          l.ids.clear();
          l.child_count = 0;
          break;
        case 5:
          if (random() % 4 == 0) links.clear();
          break;
      }
    }
    if (seed % 4 == 0) saved.entry = {NodeId{static_cast<std::uint32_t>(random() % 600)}, 1};
    const Restored r = restore(saved, seed % 2 == 0);
    if (r.graph->loose_nodes() > 0) {  // as good as mending at restoring
      EXPECT_EQ(seed % 2, 1u);
      EXPECT_TRUE(r.graph->rebuild(2, {}).ok());
    }
    expect_usable(*r.graph, saved);
    const Rows more = clustered(30, 6, seed);
    for (std::size_t i = 0; i < more.size(); ++i) insert(*r.graph, 5000 + i, more.row(i));
    for (std::uint32_t i = 0; i < 500; i += 3) r.graph->erase(NodeId{i});
    repair_and_recycle(*r.graph);
    EXPECT_SOUND(*r.graph);
    EXPECT_EQ(validated(*r.graph).dead_links, 0u);
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
