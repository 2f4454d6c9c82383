// Repair: tombstones are unlinked, slots reused, recall and degree kept; equal vectors.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

Config config_of(std::uint32_t dimension, std::uint32_t M = 12) {
  return l2_config(dimension, M, 80);
}

void expect_no_dead_links(const Graph& g) {
  const ValidateReport report = validated(g);
  EXPECT_TRUE(report.sound()) << words(report);
  EXPECT_EQ(report.dead_links, 0u);
  EXPECT_EQ(report.unreachable, 0u);
}

std::vector<NodeId> nodes_in(const Graph& g, NodeState state) {
  std::vector<NodeId> nodes;
  for (std::uint32_t i = 0; i < g.node_limit(); ++i) {
    if (g.state(NodeId{i}) == state) nodes.push_back(NodeId{i});
  }
  return nodes;
}

void expect_each_finds_itself(const Graph& g, std::size_t ef = 64) {
  std::size_t lost = 0;
  for (const NodeId node : nodes_in(g, NodeState::kLive)) {
    const Answer a = search(g, vector_of(g, node), 1, ef);
    lost += a.found.size() == 1 && a.found[0].distance == 0 ? 0 : 1;
  }
  EXPECT_EQ(lost, 0u);
}

TEST(Repair, InSlicesThatResumeLeavesNoDeadLinkAndFreesEverySlot) {
  const Rows rows = clustered(2000, 12, 1);
  for (const std::uint64_t slice : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{97}}) {
    const auto g = build(config_of(12), rows);
    for (std::uint32_t i = 0; i < 2000; i += 3) ASSERT_TRUE(g->erase(NodeId{i}));
    EXPECT_GT(validated(*g).dead_links, 0u);
    std::uint64_t calls = 0;
    std::uint64_t examined = 0;
    std::uint64_t freed = 0;
    for (bool finished = false; !finished; ++calls) {
      const RepairResult r = g->repair(slice, {});
      if (slice > 0) {
        EXPECT_LE(r.nodes_examined, slice);
      }
      examined += r.nodes_examined;
      freed += r.slots_freed;
      finished = r.finished;
    }
    EXPECT_EQ(freed, 667u);
    EXPECT_LE(examined, 3 * 2000u);  // two scans, and a few nodes look for links anew
    if (slice == 1) {
      EXPECT_GE(calls, 2000u);
    }
    expect_no_dead_links(*g);
    EXPECT_EQ(g->tombstones(), 667u);
    std::vector<NodeId> unlinked = g->take_unlinked(100);
    EXPECT_EQ(unlinked.size(), 100u);
    EXPECT_EQ(repair_and_recycle(*g), 567u);
    g->recycle(unlinked);
    EXPECT_EQ(g->tombstones(), 0u);
    EXPECT_EQ(g->stats().free_slots, 667u);
    const Rows more = clustered(667, 12, 2);
    for (std::size_t i = 0; i < more.size(); ++i) insert(*g, 5000 + i, more.row(i));
    EXPECT_EQ(g->node_limit(), 2000u) << "slots are reused";
    expect_no_dead_links(*g);
    expect_each_finds_itself(*g);
  }
}

TEST(Repair, CancelledResumesWhereItStopped) {
  const Rows rows = clustered(2000, 8, 1);
  const auto g = build(config_of(8), rows);
  for (std::uint32_t i = 0; i < 1000; ++i) g->erase(NodeId{i});
  int cancelled = 0;
  std::uint64_t last = 0;
  for (;;) {
    const RepairResult r = g->repair(0, [&](std::uint64_t done, std::uint64_t total) {
      EXPECT_GE(done, last);
      EXPECT_LE(done, total);
      last = done;
      return false;
    });
    if (r.finished) break;
    ++cancelled;
    EXPECT_TRUE(validated(*g).sound());
  }
  EXPECT_GT(cancelled, 10);
  expect_no_dead_links(*g);
}

TEST(Repair, NothingToDo) {
  const auto g = build(config_of(4), clustered(100, 4, 1));
  const RepairResult r = g->repair(0, {});
  EXPECT_TRUE(r.finished);
  EXPECT_EQ(r.nodes_examined, 0u);
  EXPECT_EQ(r.unreachable_mended, 0u);
  EXPECT_EQ(g->loose_nodes(), 0u);
}

// A node whose neighborhood is all tombstones must not end up with one link to somewhere far away:
// neither before a repair, nor after it, nor when the tombstones come back.
TEST(Repair, NodesInsertedAmongTombstonesAreFound) {
  const Rows rows = clustered(2200, 12, 1);
  const Rows first{12, {rows.values.begin(), rows.values.begin() + 2000 * 12}};
  for (const bool come_back : {false, true}) {
    SCOPED_TRACE(come_back);
    const auto g = build(config_of(12), first);
    for (std::uint32_t i = 0; i < 1960; ++i) g->erase(NodeId{i});
    for (std::size_t i = 2000; i < 2200; ++i) insert(*g, i, rows.row(i));
    expect_each_finds_itself(*g);
    if (come_back) {
      for (std::uint32_t i = 0; i < 1960; ++i) EXPECT_TRUE(g->resurrect(NodeId{i}));
      expect_each_finds_itself(*g);
    }
    EXPECT_EQ(repair_and_recycle(*g, 50), come_back ? 0u : 1960u);
    expect_no_dead_links(*g);
    expect_each_finds_itself(*g);
    EXPECT_GE(mean_degree(validated(*g)),
              0.8 * mean_degree(validated(*build(config_of(12), first))) * (come_back ? 1.0 : 0.5));
  }
}

TEST(Repair, ErasedWhilePassRunsWaitForTheNextPass) {
  const auto g = build(config_of(8), clustered(1000, 8, 1));
  for (std::uint32_t i = 0; i < 300; ++i) g->erase(NodeId{i});
  EXPECT_FALSE(g->repair(500, {}).finished);
  for (std::uint32_t i = 300; i < 600; ++i) g->erase(NodeId{i});
  EXPECT_FALSE(g->resurrect(NodeId{5})) << "condemned";
  EXPECT_TRUE(g->resurrect(NodeId{305}));
  EXPECT_EQ(repair_and_recycle(*g, 500), 300u);
  EXPECT_TRUE(validated(*g).sound());
  EXPECT_EQ(repair_and_recycle(*g, 500), 299u);
  expect_no_dead_links(*g);
  EXPECT_EQ(g->state(NodeId{305}), NodeState::kLive);
}

TEST(Repair, EverythingErasedThenInsertedAgain) {
  const Rows rows = clustered(800, 8, 1);
  const auto g = build(config_of(8), rows);
  for (int round = 0; round < 3; ++round) {
    const auto live = nodes_in(*g, NodeState::kLive);
    for (const NodeId n : live) EXPECT_TRUE(g->erase(n));
    EXPECT_EQ(g->live(), 0u);
    EXPECT_TRUE(search(*g, rows.row(0), 5, 50).found.empty());
    if (round == 1) {  // inserted among tombstones only
      for (std::size_t i = 0; i < 50; ++i) insert(*g, 9000 + i, rows.row(i));
      EXPECT_SOUND(*g);
      expect_each_finds_itself(*g);
    }
    EXPECT_EQ(repair_and_recycle(*g, round == 2 ? 64 : 0), live.size());
    expect_no_dead_links(*g);
    EXPECT_EQ(g->live(), round == 1 ? 50u : 0u);
    if (round != 1) {
      EXPECT_EQ(g->entry_point().node, kNoNode);
    }
    const std::vector<NodeId> nodes = add_all(*g, rows, 1000 * (round + 1));
    EXPECT_TRUE(g->link_batch(nodes, 2, {}));
    g->show(nodes);
    expect_no_dead_links(*g);
    expect_each_finds_itself(*g);
  }
}

TEST(Repair, G6EntryPointAndTopLevelErased) {
  const auto g = build(config_of(8, 8), clustered(1500, 8, 1));
  for (int round = 0; round < 6; ++round) {
    const EntryPoint entry = g->entry_point();
    ASSERT_NE(entry.node, kNoNode);
    for (const NodeId n : nodes_in(*g, NodeState::kLive)) {
      if (g->level(n) == entry.level) g->erase(n);
    }
    repair_and_recycle(*g, round % 2 == 0 ? 0 : 111);
    expect_no_dead_links(*g);
    if (g->live() == 0) {
      EXPECT_EQ(g->entry_point().node, kNoNode);
      break;
    }
    Level highest = 0;
    for (const NodeId n : nodes_in(*g, NodeState::kLive)) highest = std::max(highest, g->level(n));
    EXPECT_EQ(g->entry_point().level, highest);
    EXPECT_EQ(g->level(g->entry_point().node), highest);
    expect_each_finds_itself(*g);
  }
}

TEST(Repair, G9AllNeighborsOfANodeErased) {
  const Rows rows = clustered(1000, 8, 1);
  const auto g = build(config_of(8), rows);
  for (const std::uint32_t i : {3u, 500u, 999u, raw(g->entry_point().node)}) {
    for (const LevelLinks& level : g->links(NodeId{i})) {
      for (const NodeId n : level.ids) g->erase(n);
    }
  }
  repair_and_recycle(*g);
  expect_no_dead_links(*g);
  expect_each_finds_itself(*g);
}

// The smallest M has lists of four links above level 0, which condemned children can fill: some
// nodes find a parent only by replace_condemned_child() (relink.cc).
TEST(Repair, G9SmallestMSurvivesErasingRootsAndWholeBranches) {
  const Rows rows = clustered(600, 4, 1);
  for (const std::uint32_t M : {4u, 5u}) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      Config config = config_of(4, M);
      config.seed = seed;
      const auto g = build(config, rows);
      std::mt19937_64 random(seed);
      for (int round = 0; round < 5; ++round) {
        auto live = nodes_in(*g, NodeState::kLive);
        std::shuffle(live.begin(), live.end(), random);
        live.resize(live.size() * (round % 2 == 0 ? 4 : 9) / 10);
        for (const NodeId n : live) g->erase(n);
        g->erase(g->entry_point().node);
        repair_and_recycle(*g);
        expect_no_dead_links(*g);
        for (std::size_t i = 0; i < 300; ++i) insert(*g, 1000 * round + i, rows.row(i));
        expect_no_dead_links(*g);
      }
    }
  }
}

TEST(Repair, TenRoundsOfChurnKeepRecallDegreeAndReach) {
  constexpr std::size_t kLive = 3000;
  const Rows rows = clustered(kLive + 10 * kLive / 5, 16, 1);
  const Rows queries = clustered(150, 16, 2);
  const Config config = config_of(16);
  const Rows first{16, {rows.values.begin(), rows.values.begin() + kLive * 16}};
  const auto g = build(config, first);
  const double degree_before = mean_degree(validated(*g));
  double degree_halfway = 0;
  std::mt19937_64 random(3);
  std::size_t next = kLive;
  for (int round = 0; round < 10; ++round) {
    auto live = nodes_in(*g, NodeState::kLive);
    std::shuffle(live.begin(), live.end(), random);
    for (std::size_t i = 0; i < kLive / 5; ++i) g->erase(live[i]);
    for (std::size_t i = 0; i < kLive / 5; ++i, ++next) insert(*g, next, rows.row(next));
    EXPECT_EQ(repair_and_recycle(*g, round % 2 == 0 ? 0 : 500), kLive / 5);
    if (round == 4) degree_halfway = mean_degree(validated(*g));
    expect_no_dead_links(*g);
  }
  Rows now{16, {}};
  for (const NodeId n : nodes_in(*g, NodeState::kLive)) {
    now.values.insert(now.values.end(), vector_of(*g, n), vector_of(*g, n) + 16);
  }
  ASSERT_EQ(now.size(), kLive);
  const auto fresh = build(config, now);
  for (const std::size_t ef : {20, 64}) {
    EXPECT_GE(recall(*g, queries, 10, ef).share, recall(*fresh, queries, 10, ef).share - 0.01)
        << "ef " << ef;
  }
  EXPECT_GE(mean_degree(validated(*g)), 0.8 * degree_before);
  EXPECT_GE(mean_degree(validated(*g)), 0.95 * degree_halfway) << "still falling";
  EXPECT_LE(g->node_limit(), kLive + kLive / 5 * 2);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// `copies` of each of `distinct` vectors. Linear work would be a few seconds at most.
void run_equal_vectors(std::size_t distinct, std::size_t copies, bool batch, double most_seconds) {
  SCOPED_TRACE(::testing::Message() << distinct << " x " << copies << (batch ? " batch" : ""));
  const Rows originals = clustered(distinct, 8, 1);
  Rows rows{8, {}};
  for (std::size_t c = 0; c < copies; ++c) {
    rows.values.insert(rows.values.end(), originals.values.begin(), originals.values.end());
  }
  const auto start = std::chrono::steady_clock::now();
  const auto g = make_graph(config_of(8));
  const std::vector<NodeId> nodes = add_all(*g, rows);
  if (batch) {
    ASSERT_TRUE(g->link_batch(nodes, 2, {}));
  } else {
    for (const NodeId n : nodes) g->link(n);
  }
  g->show(nodes);
  const double built = seconds_since(start);
  EXPECT_LT(built, most_seconds);
  EXPECT_SOUND(*g);
  const std::size_t k = std::min<std::size_t>(copies, 50);
  for (std::size_t i = 0; i < distinct; i += 1 + distinct / 20) {
    const Answer a = search(*g, originals.row(i), k, 100);
    ASSERT_EQ(a.found.size(), k);
    EXPECT_EQ(a.found.front().distance, 0.0f);
  }
  for (std::size_t i = 0; i < nodes.size(); i += 2) g->erase(nodes[i]);
  const auto repair_start = std::chrono::steady_clock::now();
  EXPECT_EQ(repair_and_recycle(*g), nodes.size() / 2);
  const double repaired = seconds_since(repair_start);
  EXPECT_LT(repaired, most_seconds);
  expect_no_dead_links(*g);
  ::testing::Test::RecordProperty("seconds",
                                  std::to_string(built) + " " + std::to_string(repaired));
}

TEST(EqualVectors, TwentyThousandCopiesOfOneByBatch) { run_equal_vectors(1, 20000, true, 10); }
TEST(EqualVectors, TenThousandCopiesOfOneByOne) { run_equal_vectors(1, 10000, false, 10); }
TEST(EqualVectors, ManyCopiesOfMany) { run_equal_vectors(200, 100, true, 10); }

}  // namespace
}  // namespace vicinal::graph::testing
