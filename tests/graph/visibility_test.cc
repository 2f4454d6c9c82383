// Visibility alone: numbers, marks, what a label stood for.
#include "graph/visibility.h"

#include <gtest/gtest.h>

#include "graph/epoch.h"

namespace vicinal::graph::testing {
namespace {

class VisibilityTest : public ::testing::Test {
 protected:
  VisibilityTest() { v.grow(16); }

  static NodeId node(std::uint32_t i) { return NodeId{i}; }
  void show(NodeId n) { Visibility::Step(v).show(n); }
  void hide(NodeId n) { Visibility::Step(v).hide(n); }
  void unhide(NodeId n) { Visibility::Step(v).unhide(n); }
  bool counts(NodeId n, Visibility::Number moment) { return v.counts(n, moment, unsettled); }

  EpochDomain epochs;
  Visibility v{epochs};
  bool unsettled = false;
};

TEST_F(VisibilityTest, ANodeCountsFromTheStepThatShowsItToTheOneThatHidesIt) {
  EXPECT_FALSE(counts(node(3), 0)) << "never used";
  v.begin_life(node(3), kNoNode);
  EXPECT_FALSE(counts(node(3), v.number())) << "pending";
  show(node(3));
  EXPECT_EQ(v.number(), 1u);
  EXPECT_FALSE(counts(node(3), 0));
  EXPECT_TRUE(counts(node(3), 1));
  hide(node(3));
  EXPECT_TRUE(counts(node(3), 1)) << "who began before";
  EXPECT_FALSE(counts(node(3), 2));
}

TEST_F(VisibilityTest, V1ASlotsNextLifeCountsForNobodyBeforeItIsShown) {
  v.begin_life(node(3), kNoNode);
  show(node(3));
  hide(node(3));
  v.begin_life(node(3), kNoNode);
  for (Visibility::Number moment = 0; moment < 10; ++moment) EXPECT_FALSE(counts(node(3), moment));
  show(node(3));
  EXPECT_FALSE(counts(node(3), 2));
  EXPECT_TRUE(counts(node(3), 3));
}

// Marked only when nobody is inside, or can come, for whom the node does not count yet.
TEST_F(VisibilityTest, V2AMarkWaitsForOlderReadersAndGoesBeforeHiding) {
  EpochDomain::Participant* const reader = epochs.add_participant();
  v.begin_life(node(5), kNoNode);
  epochs.enter(*reader);
  const Visibility::Number early = v.number();
  show(node(5));
  v.settle();
  EXPECT_TRUE(counts(node(5), v.number()));
  EXPECT_TRUE(unsettled) << "somebody should settle";
  v.settle();
  EXPECT_TRUE(counts(node(5), v.number()));
  EXPECT_FALSE(v.counts_for_all(node(5))) << "a reader of before is inside";
  EXPECT_FALSE(counts(node(5), early));
  EpochDomain::leave(*reader);
  v.settle();
  EXPECT_TRUE(counts(node(5), v.number()));
  EXPECT_TRUE(v.counts_for_all(node(5)));
  hide(node(5));
  EXPECT_FALSE(v.counts_for_all(node(5)));
  EXPECT_FALSE(counts(node(5), v.number()));
  EXPECT_FALSE(v.counts_for_all(node(5)));
}

TEST_F(VisibilityTest, V3TheNodeThatStoodForALabelIsFoundFromAnyLaterOne) {
  v.begin_life(node(1), kNoNode);
  show(node(1));  // 1
  v.begin_life(node(2), node(1));
  EXPECT_EQ(v.stood(node(2), 1), node(1)) << "the entry is switched, the node not shown";
  {
    Visibility::Step step(v);  // 2
    step.show(node(2));
    step.hide(node(1));
  }
  hide(node(2));  // 3: erased
  v.begin_life(node(4), node(2));
  show(node(4));  // 4
  EXPECT_EQ(v.stood(node(4), 0), kNoNode);
  EXPECT_EQ(v.stood(node(4), 1), node(1));
  EXPECT_EQ(v.stood(node(4), 2), node(2));
  EXPECT_EQ(v.stood(node(4), 3), kNoNode);
  EXPECT_EQ(v.stood(node(4), 4), node(4));
  EXPECT_EQ(v.stood(kNoNode, 4), kNoNode);
}

TEST_F(VisibilityTest, V4AResurrectionIsSeenByWhoeverBeginsAfterItAndMayBeByOthers) {
  v.begin_life(node(1), kNoNode);
  show(node(1));
  hide(node(1));
  const Visibility::Number erased = v.number();
  EXPECT_FALSE(counts(node(1), erased));
  unhide(node(1));
  EXPECT_TRUE(counts(node(1), v.number()));
  EXPECT_TRUE(counts(node(1), erased));
  EXPECT_FALSE(counts(node(1), 0));
}

TEST_F(VisibilityTest, WhatOpeningPlacesCountsFromTheBeginning) {
  v.restore(node(1), true);
  v.restore(node(2), false);
  EXPECT_TRUE(v.counts_for_all(node(1)));
  EXPECT_FALSE(counts(node(2), v.number()));
  unhide(node(2));
  EXPECT_TRUE(counts(node(2), v.number()));
}

}  // namespace
}  // namespace vicinal::graph::testing
