// Visibility: erase, resurrect, show; searches among tombstones; filters.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

Config erasing_config(std::uint32_t dimension) {
  Config config;
  config.dimension = dimension;
  config.ef_construction = 100;
  return config;
}

TEST(Erase, HidesAndResurrectShowsAgain) {
  const Rows rows = clustered(200, 8, 1);
  const auto g = build(erasing_config(8), rows);
  EXPECT_EQ(g->live(), 200u);
  EXPECT_TRUE(g->erase(NodeId{7}));
  EXPECT_FALSE(g->erase(NodeId{7}));
  EXPECT_EQ(g->live(), 199u);
  EXPECT_EQ(g->tombstones(), 1u);
  EXPECT_NE(search(*g, rows.row(7), 1, 64).found.at(0).label, 7u);
  EXPECT_NE(scan(*g, rows.row(7), 1).found.at(0).label, 7u);
  EXPECT_TRUE(g->resurrect(NodeId{7}));
  EXPECT_FALSE(g->resurrect(NodeId{7}));
  EXPECT_FALSE(g->resurrect(NodeId{8})) << "live";
  EXPECT_EQ(g->live(), 200u);
  EXPECT_EQ(search(*g, rows.row(7), 1, 64).found.at(0).label, 7u);
  EXPECT_SOUND(*g);
}

TEST(Show, PendingNodesAreNotFound) {
  const Rows rows = clustered(100, 8, 1);
  const auto g = build(erasing_config(8), rows);
  const std::vector<float> vector(8, 2.5f);
  const NodeId node = add(*g, 1000, vector.data(), NodeId{5});
  g->link(node);
  EXPECT_NE(search(*g, vector.data(), 1, 64).found.at(0).label, 1000u);
  EXPECT_NE(scan(*g, vector.data(), 1).found.at(0).label, 1000u);
  g->show(node);
  EXPECT_EQ(search(*g, vector.data(), 1, 64).found.at(0).label, 1000u);
  EXPECT_EQ(g->state(NodeId{5}), NodeState::kTombstone);
  EXPECT_EQ(g->live(), 100u);
}

constexpr Label kMoving = 7777;

// Places so near to each other and so far from all else that a search from one of them must find
// the label, wherever it is just now.
Rows near_places(std::size_t count) {
  Rows places = clustered(count, 8, 77);
  for (std::size_t i = 0; i < places.values.size(); ++i) {
    places.values[i] = (i % 2 == 0 ? 100.0f : -100.0f) + 0.01f * places.values[i];
  }
  return places;
}

std::size_t times_seen(const Answer& a) {
  return static_cast<std::size_t>(std::count_if(a.found.begin(), a.found.end(),
                                                [](const Found& f) { return f.label == kMoving; }));
}

// Updates as the engine makes them: a new node is linked, then shown in place of the old one.
void run_updates(bool with_scan) {
  const Rows rows = clustered(2000, 8, 1);
  const auto g = build(erasing_config(8), rows);
  const Rows places = near_places(64);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> updates{0};
  NodeId present = insert(*g, kMoving, places.row(0));
  std::jthread writer([&] {
    for (std::size_t i = 1; !stop.load(); ++i) {
      present = insert(*g, kMoving, places.row(i % places.size()), present);
      updates.fetch_add(1);
      if (i % 64 == 0) repair_and_recycle(*g);
    }
  });
  while (updates.load() == 0) std::this_thread::yield();
  std::uint64_t neither = 0;
  std::uint64_t both = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
  while (std::chrono::steady_clock::now() < end) {
    const Answer a = with_scan ? scan(*g, places.row(0), 10) : search(*g, places.row(0), 10, 64);
    neither += times_seen(a) == 0 ? 1 : 0;
    both += times_seen(a) > 1 ? 1 : 0;
  }
  stop = true;
  EXPECT_EQ(both, 0u);
  EXPECT_EQ(neither, 0u);
}

TEST(Show, G10AScanBesideUpdatesAlwaysFindsTheLabel) { run_updates(true); }
TEST(Show, G10ASearchBesideUpdatesAlwaysFindsTheLabel) { run_updates(false); }

TEST(Tombstones, HalfOfAllCostNeitherRecallNorMuchWork) {
  const Rows rows = clustered(4000, 16, 1);
  const Rows queries = clustered(200, 16, 2);
  const auto g = build(erasing_config(16), rows);
  const Recall before = recall(*g, queries, 10, 64);
  for (std::uint32_t i = 0; i < 4000; i += 2) g->erase(NodeId{i});
  const Recall after = recall(*g, queries, 10, 64);
  EXPECT_GE(after.share, before.share - 0.01);
  EXPECT_LE(after.distances, 2 * before.distances);
}

TEST(Tombstones, NearlyAllStillFindsTheRest) {
  const Rows rows = clustered(3000, 8, 1);
  const auto g = build(erasing_config(8), rows);
  for (std::uint32_t i = 0; i < 3000; ++i) {
    if (i % 300 != 0) g->erase(NodeId{i});
  }
  EXPECT_EQ(search(*g, rows.row(5), 10, 64).found.size(), 10u);
  EXPECT_EQ(search(*g, rows.row(5), 50, 64).found.size(), 10u);
}

TEST(Filters, FindWhatTheFilteredScanFinds) {
  const Rows rows = clustered(4000, 12, 1);
  const Rows queries = clustered(100, 12, 2);
  const auto g = build(erasing_config(12), rows);
  for (const double share : {0.9, 0.3, 0.1, 0.02, 0.0005}) {
    const std::function<bool(Label)> accept = [&](Label l) {
      return static_cast<double>(l * 2654435761u % 10000) < share * 10000;
    };
    EXPECT_GE(recall(*g, queries, 10, 64, &accept).share, 0.97) << share;
    const Answer a = search(*g, queries.row(0), 10, 64, &accept);
    for (const Found& f : a.found) EXPECT_TRUE(accept(f.label));
    EXPECT_EQ(a.counters.path, share < 0.05 ? SearchPath::kExactScan : SearchPath::kFilteredGraph);
  }
  const std::function<bool(Label)> none = [](Label) { return false; };
  EXPECT_TRUE(search(*g, queries.row(0), 10, 64, &none).found.empty());
}

TEST(Filters, AreExactWhenTheyPassWhatLiesFarFromTheQuery) {
  const Rows rows = clustered(3000, 8, 1);
  const auto g = build(erasing_config(8), rows);
  const Answer all = scan(*g, rows.row(0), 3000);
  std::vector<bool> far(3000);
  for (std::size_t i = 2700; i < 3000; ++i) far[all.found[i].label] = true;
  const std::function<bool(Label)> accept = [&](Label l) { return far[l]; };
  EXPECT_EQ(search(*g, rows.row(0), 10, 64, &accept).found.size(), 10u);
}

TEST(Radius, FindsWhatTheScanFinds) {
  const Rows rows = clustered(for_sanitizer(3000), 12, 1);
  const Rows queries = clustered(50, 12, 2);
  const auto g = build(erasing_config(12), rows);
  const std::function<bool(Label)> third = [](Label l) { return l % 3 == 0; };
  const std::function<bool(Label)> rare = [](Label l) { return l % 100 == 0; };
  const std::function<bool(Label)>* filters[] = {nullptr, &third, &rare};
  for (const auto* accept : filters) {
    std::size_t found = 0;
    std::size_t wanted = 0;
    for (std::size_t q = 0; q < queries.size(); ++q) {
      for (const float radius : {0.0f, 0.05f, 0.3f, 2.0f}) {
        SearchRequest request;
        request.query = queries.row(q);
        request.k = 0;
        request.accept = accept;
        SearchCounters counters;
        const std::vector<Found> exact = g->scan_radius(Moment(*g), request, radius, counters);
        const std::vector<Found> got = g->search_radius(Moment(*g), request, radius, counters);
        for (const Found& f : got) EXPECT_LE(f.distance, radius);
        found += got.size();
        wanted += exact.size();
        EXPECT_LE(got.size(), exact.size());
        request.k = 5;
        EXPECT_LE(g->search_radius(Moment(*g), request, radius, counters).size(), 5u);
      }
    }
    EXPECT_GE(static_cast<double>(found), 0.98 * static_cast<double>(wanted))
        << (accept == nullptr  ? "all"
            : accept == &third ? "third"
                               : "rare");
  }
}

TEST(Scan, OfAListGivesRepeatsOneHitAndTombstonesNone) {
  const Rows rows = clustered(200, 4, 1);
  const auto g = build(erasing_config(4), rows);
  g->erase(NodeId{3});
  const std::function<bool(Label)> accept = [](Label l) { return l == 9 || l == 3 || l == 4; };
  ListedNodes listed;
  listed.count = 4;
  listed.append = [](const Moment& moment, std::vector<NodeId>& out) {
    for (const NodeId node : {NodeId{9}, NodeId{3}, NodeId{9}, NodeId{4}}) {
      if (moment.counts(node)) out.push_back(node);
    }
  };
  SearchRequest request;
  request.query = rows.row(9);
  request.accept = &accept;
  request.selectivity = 0.02;
  request.listed = &listed;
  std::vector<Found> out(10);
  SearchCounters counters;
  ASSERT_EQ(g->scan(Moment(*g), request, out, counters), 2u);
  EXPECT_EQ(out[0].node, NodeId{9});
  EXPECT_EQ(out[1].node, NodeId{4});
  EXPECT_EQ(counters.distances, 2u);
}

}  // namespace
}  // namespace vicinal::graph::testing
