// The small parts of an index by themselves: claims, turns, the gate, the plan of a batch.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "engine/background_health.h"
#include "engine/batch_plan.h"
#include "engine/callback.h"
#include "engine/claims.h"
#include "engine/events.h"
#include "engine/gate.h"
#include "engine/named_turns.h"
#include "engine/turn.h"

namespace vicinal::engine {
namespace {

using graph::kNoNode;
using graph::NodeId;

TEST(BackgroundHealth, TellsTheFirstAndEverFewerOfARow) {
  std::vector<Event> told;
  BackgroundHealth health("text", [&](const Event& event) { told.push_back(event); });
  EXPECT_TRUE(health.well());
  const Status why = Status::io_error("no space left");
  for (int i = 0; i < 20; ++i) health.failed(EventKind::kCheckpointFailed, why);
  ASSERT_EQ(told.size(), 5u);  // 1, 2, 4, 8, 16
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i].value, std::uint64_t{1} << i);
    EXPECT_EQ(told[i].severity, Severity::kError);
    EXPECT_EQ(told[i].status.code(), StatusCode::kIoError);
    EXPECT_EQ(told[i].index, "text");
    EXPECT_NE(told[i].message.find("no space left"), std::string::npos);
  }
  Stats stats;
  health.fill(stats);
  EXPECT_EQ(stats.background_failures, 20u);
  EXPECT_NE(stats.background_error.find("no space left"), std::string::npos);
  EXPECT_GE(stats.background_error_age_s, 0);

  health.succeeded(EventKind::kRepairFailed);  // not what failed
  EXPECT_FALSE(health.well());
  health.succeeded(EventKind::kCheckpointFailed);
  EXPECT_TRUE(health.well());
  ASSERT_EQ(told.size(), 6u);
  EXPECT_EQ(told[5].kind, EventKind::kRecovered);
  EXPECT_EQ(told[5].value, 20u);
  health.fill(stats);
  EXPECT_EQ(stats.background_failures, 0u);
  EXPECT_FALSE(stats.background_error.empty()) << "the last one is kept";
}

TEST(BackgroundHealth, RefusesWhenWhatWaitsIsManyTimesWhatIsDue) {
  BackgroundHealth health("text", {});
  EXPECT_TRUE(health.refusal(1u << 30, 1).ok());
  health.failed(EventKind::kCheckpointFailed, Status::full("no room"));
  EXPECT_TRUE(health.refusal(799, 100).ok());
  const Status refused = health.refusal(800, 100);
  EXPECT_EQ(refused.code(), StatusCode::kFull);
  EXPECT_NE(refused.message().find("800 bytes"), std::string::npos) << refused.message();
  health.succeeded(EventKind::kCheckpointFailed);
  EXPECT_TRUE(health.refusal(800, 100).ok());
  health.failed(EventKind::kRepairFailed, Status::full("no room"));
  EXPECT_TRUE(health.refusal(800, 100).ok()) << "repair holds nobody up";
}

TEST(Events, WhatTheCallbackThrowsIsIgnored) {
  int calls = 0;
  const EventCallback throwing = [&](const Event&) {
    ++calls;
    throw 1;
  };
  tell(throwing, [] { return Event{}; });
  tell(throwing, []() -> Event { throw std::bad_alloc(); });
  tell({}, []() -> Event { throw 1; });  // nobody listens: nothing is made
  EXPECT_EQ(calls, 1);
}

// E1
TEST(LabelClaims, AreHeldAscendingAndOnce) {
  LabelClaims claims;
  const LabelClaims::Held held(claims, {7, 3, 7, 1});
  ASSERT_TRUE(held);
  EXPECT_EQ(std::vector<Label>(held.labels().begin(), held.labels().end()),
            (std::vector<Label>{1, 3, 7}));
}

// E1: and gives back what it had already.
TEST(LabelClaims, WhoHoldsLabelsIsRefusedThoseThatAreTaken) {
  LabelClaims claims;
  const LabelClaims::HeldOne taken(claims, 5);
  ASSERT_TRUE(taken);
  const CallbackScope scope(CallbackScope::Holds::kLabels);
  EXPECT_FALSE(LabelClaims::HeldOne(claims, 5));
  EXPECT_FALSE(LabelClaims::Held(claims, {4, 5, 6}));
  EXPECT_TRUE(LabelClaims::HeldOne(claims, 4));
  EXPECT_TRUE(LabelClaims::HeldOne(claims, 6));
}

TEST(LabelClaims, OthersWait) {
  LabelClaims claims;
  std::atomic<bool> released{false};
  std::thread other;
  {
    const LabelClaims::HeldOne taken(claims, 5);
    other = std::thread([&] {
      const LabelClaims::HeldOne claim(claims, 5);
      EXPECT_TRUE(claim);
      EXPECT_TRUE(released.load());
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    released.store(true);
  }
  other.join();
}

TEST(Turns, AreRefusedOrWaitedFor) {
  Turn turn;
  NamedTurns named;
  {
    const Turn::Taken taken(turn, false);
    const NamedTurns::Taken name(named, "a", false);
    EXPECT_TRUE(taken);
    EXPECT_TRUE(name);
    EXPECT_FALSE(Turn::Taken(turn, false));
    EXPECT_FALSE(NamedTurns::Taken(named, "a", false));
    EXPECT_TRUE(NamedTurns::Taken(named, "b", false));
  }
  EXPECT_TRUE(Turn::Taken(turn, true));
  EXPECT_TRUE(NamedTurns::Taken(named, "a", true));
}

TEST(Gate, IsEnteredAgainFromInsideAndNotOnceClosed) {
  Gate gate(false);
  {
    const Gate::Pass outer(gate);
    const Gate::Pass inner(gate);
    EXPECT_TRUE(outer);
    EXPECT_TRUE(inner);
    EXPECT_TRUE(Gate::Pass::thread_is_inside(gate));
  }
  EXPECT_FALSE(Gate::Pass::thread_is_inside(gate));
  gate.close();
  EXPECT_FALSE(Gate::Pass(gate));
  EXPECT_TRUE(gate.closed());
}

TEST(BatchPlan, TheLastRowOfEveryLabelWins) {
  BatchPlan plan;
  plan.choose_winners(std::vector<Label>{9, 4, 9, 2, 4});
  EXPECT_EQ(plan.winners, (std::vector<std::size_t>{2, 3, 4}));
  EXPECT_EQ(plan.winner_labels, (std::vector<Label>{9, 2, 4}));
  EXPECT_EQ(plan.result.repeated, 2u);
}

TEST(BatchPlan, WhatCannotBeResurrectedIsInsertedAndCountsAsResurrected) {
  BatchPlan plan;
  plan.insert(0, 10, kNoNode);
  plan.insert(1, 11, NodeId{1});
  plan.resurrect(2, 12, NodeId{2});
  plan.resurrect(3, 13, NodeId{3});
  plan.insert_condemned(1);
  EXPECT_EQ(plan.rows, (std::vector<std::size_t>{0, 1, 3}));
  EXPECT_EQ(plan.labels, (std::vector<Label>{10, 11, 13}));
  EXPECT_EQ(plan.replaced, (std::vector<NodeId>{kNoNode, NodeId{1}, NodeId{3}}));
  EXPECT_EQ(plan.resurrected, (std::vector<NodeId>{NodeId{2}}));
  EXPECT_EQ(plan.result.inserted, 1u);
  EXPECT_EQ(plan.result.updated, 1u);
  EXPECT_EQ(plan.result.resurrected, 2u);
}

}  // namespace
}  // namespace vicinal::engine
