// The small parts of linking: who was linked lately, who links now, who could not be linked.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "graph/epoch.h"
#include "graph/link_backlog.h"
#include "graph/linkers.h"
#include "graph/recently_linked.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

TEST(RecentlyLinked, RemembersTheLastOnes) {
  RecentlyLinked recent;
  recent.prepare();
  internal::Vector<NodeId> nodes;
  constexpr std::uint32_t kNoted = RecentlyLinked::kRemembered + 1000;
  for (std::uint32_t i = 0; i < kNoted; ++i) {
    EXPECT_EQ(recent.count(), i);
    recent.note(NodeId{i * 7});
    ASSERT_TRUE(recent.since(i + 1, nodes));
    EXPECT_TRUE(nodes.empty());
    const std::uint32_t from = i >= 99 ? i - 99 : 0;
    ASSERT_TRUE(recent.since(from, nodes));
    ASSERT_EQ(nodes.size(), i - from + 1);
    for (std::uint32_t k = 0; k < nodes.size(); ++k) {
      ASSERT_EQ(nodes[k], NodeId{(from + k) * 7});
    }
  }
  EXPECT_FALSE(recent.since(kNoted - RecentlyLinked::kRemembered - 1, nodes));
  EXPECT_TRUE(recent.since(kNoted - RecentlyLinked::kRemembered, nodes));
}

// Whoever notes himself and then looks sees, or is seen by, everybody who did so at the same time.
TEST(RecentlyLinked, OneOfTwoSeesTheOther) {
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kRounds = 2000;
  RecentlyLinked recent;
  recent.prepare();
  std::vector<std::vector<std::set<std::uint32_t>>> seen(
      kThreads, std::vector<std::set<std::uint32_t>>(kRounds));
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const std::uint64_t before = recent.count();
    std::latch start(kThreads);
    std::vector<std::jthread> threads;
    for (std::uint32_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        start.arrive_and_wait();
        recent.note(NodeId{t});
        internal::Vector<NodeId> nodes;
        if (!recent.since(before, nodes)) return;
        for (const NodeId node : nodes) seen[t][round].insert(raw(node));
      });
    }
  }
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    for (std::uint32_t a = 0; a < kThreads; ++a) {
      for (std::uint32_t b = 0; b < a; ++b) {
        ASSERT_TRUE(seen[a][round].contains(b) || seen[b][round].contains(a)) << "round " << round;
      }
    }
  }
}

TEST(Linkers, G13WhoCameBeforeTheTagIsWaitedFor) {
  Linkers linkers;
  EpochDomain& domain = linkers.domain();
  EpochDomain::Participant* const before = domain.add_participant();
  EpochDomain::Participant* const after = domain.add_participant();
  domain.enter(*before);
  const std::uint64_t tag = linkers.tag();
  EXPECT_FALSE(linkers.gone(tag));
  EXPECT_FALSE(linkers.nobody_inside());
  domain.enter(*after);
  EpochDomain::leave(*before);
  bool gone = false;
  for (int i = 0; i < 4; ++i) gone = gone || linkers.gone(tag);
  EXPECT_TRUE(gone) << "who came after it saw what was announced";
  EpochDomain::leave(*after);
  EXPECT_TRUE(linkers.nobody_inside());
}

TEST(LinkBacklog, G12IsAQueueWhoseReadersGoOn) {
  constexpr std::uint32_t kNodes = 200;
  LinkBacklog backlog;
  backlog.grow(kNodes);
  EXPECT_TRUE(backlog.empty());
  std::vector<NodeId> model;
  std::mt19937 random(7);
  std::vector<bool> joined(kNodes);
  const auto listed = [&] {
    std::vector<NodeId> nodes;
    backlog.for_each([&](NodeId node) { nodes.push_back(node); });
    return nodes;
  };
  for (int step = 0; step < 1000; ++step) {
    const NodeId node{static_cast<std::uint32_t>(random() % kNodes)};
    if (random() % 2 == 0 && !joined[raw(node)]) {
      backlog.join(node);
      backlog.join(node);  // no effect
      joined[raw(node)] = true;
      model.push_back(node);
    } else {
      const NodeId leaving = random() % 2 == 0 ? backlog.oldest() : node;
      if (leaving == kNoNode) continue;
      backlog.leave(leaving);
      std::erase(model, leaving);
      joined[raw(leaving)] = false;  // in a new life of its slot
    }
    ASSERT_EQ(listed(), model) << "step " << step;
    ASSERT_EQ(backlog.empty(), model.empty());
    for (std::uint32_t i = 0; i < kNodes; ++i) {
      ASSERT_EQ(backlog.contains(NodeId{i}),
                std::find(model.begin(), model.end(), NodeId{i}) != model.end());
    }
  }
  // A reader who stands on one that leaves goes on to all that followed.
  while (!backlog.empty()) backlog.leave(backlog.oldest());
  for (std::uint32_t i = 0; i < 5; ++i) backlog.join(NodeId{i});
  std::vector<NodeId> met;
  backlog.for_each([&](NodeId node) {
    met.push_back(node);
    if (node == NodeId{1}) {
      for (std::uint32_t i = 0; i < 4; ++i) backlog.leave(NodeId{i});
    }
  });
  EXPECT_EQ(met, (std::vector<NodeId>{NodeId{0}, NodeId{1}, NodeId{2}, NodeId{3}, NodeId{4}}));
}

}  // namespace
}  // namespace vicinal::graph::testing
