// The promise "every search sees one moment", against every order of the steps of two calls.
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "tests/engine/engine_testing.h"
#include "tests/interleaving/interleaver.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kLabels = 6;
constexpr Label kMoved = 3;

/// Which generation of its vector each label has; a state of the index.
using State = std::map<Label, int>;

/// The vector tells label and generation by its distance from 0.
std::vector<float> point(Label label, int generation) {
  return {static_cast<float>(label), static_cast<float>(generation) / 4, 1, 2};
}

IndexOptions tiny_options() {
  IndexOptions options;
  options.dimension = 4;
  options.metric = Metric::kSquaredL2;
  options.M = 4;
  options.ef_construction = 16;
  options.threads = 1;
  options.repair_share = 0;
  options.reserve = 500;  // a graph
  return options;
}

/// Thousands of tiny indexes are made: clearing huge pages for them would take longer than all
/// else.
const bool kSmallPages = prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;

/// Labels 0 to kLabels - 1 in generation 0.
Index tiny_index() {
  Index index = *Index::in_memory(tiny_options());
  for (Label label = 0; label < kLabels; ++label) {
    if (!index.upsert(label, point(label, 0)).ok()) std::abort();
  }
  return index;
}

State begun_with() {
  State state;
  for (Label label = 0; label < kLabels; ++label) state[label] = 0;
  return state;
}

/// What a search for all labels saw. A label that is there twice, or with a distance that no
/// generation has, gets generation -1.
State seen_by(const Index& index, const SearchOptions& options) {
  const std::vector<float> origin = {0, 0, 0, 0};
  const Result<SearchResult> found = index.search(origin, options);
  State state;
  if (!found) return {{0, -2}};
  for (const Hit& hit : *found) {
    int generation = -1;
    for (int g = 0; g < 4; ++g) {
      const std::vector<float> p = point(hit.label, g);
      if (p[0] * p[0] + p[1] * p[1] + 5 == hit.distance) generation = g;
    }
    const auto [at, fresh] = state.emplace(hit.label, generation);
    if (!fresh) at->second = -1;
  }
  return state;
}

std::string words(const State& state) {
  std::string all;
  for (const auto& [label, generation] : state) {
    all += std::to_string(label) + ":" + std::to_string(generation) + " ";
  }
  return all;
}

/// One call that changes an index through `states` (the first is what it begins with), against one
/// that sees it: what is seen is one of the states, the last where the change came first, the first
/// where it came later.
class Watched {
 public:
  Watched(std::vector<std::string> points, std::vector<State> states)
      : interleaver_(std::move(points)), states_(std::move(states)) {}

  void run(const std::function<Index()>& make, const std::function<void(Index&)>& change,
           const std::function<State(const Index&)>& look) {
    std::size_t wrong = 0;
    std::map<std::size_t, std::size_t> seen;
    const std::size_t schedules = interleaver_.run([&] {
      auto index = std::make_shared<Index>(make());
      auto answer = std::make_shared<State>();
      Interleaver::Case one;
      one.first = [=] { change(*index); };
      one.second = [=] { *answer = look(*index); };
      one.check = [&, index, answer](const Interleaver::Order& order) {
        std::size_t i = 0;
        while (i < states_.size() && states_[i] != *answer) ++i;
        ++seen[i];
        const bool late = order.first_then_second && i + 1 != states_.size();
        const bool early = order.second_then_first && i != 0;
        if (i < states_.size() && !late && !early) return;
        if (++wrong < 4) ADD_FAILURE() << "saw " << words(*answer) << (late ? "(late)" : "");
        const Result<ValidateReport> report = index->validate();
        EXPECT_TRUE(report.ok() && report->sound());
      };
      return one;
    });
    EXPECT_EQ(wrong, 0u) << "of " << schedules << " orders";
    EXPECT_GT(seen[0], 0u);
    EXPECT_GT(seen[states_.size() - 1], 0u);
    std::printf("%zu orders\n", schedules);
  }

 private:
  Interleaver interleaver_;
  const std::vector<State> states_;
};

const SearchOptions kAll{.k = 20, .ef_search = 64};
const SearchOptions kExactly{.k = 20, .exact = true};

State with(State state, Label label, int generation) {
  state[label] = generation;
  return state;
}
State without(State state, Label label) {
  state.erase(label);
  return state;
}

void update(Index& index) { ASSERT_OK(index.upsert(kMoved, point(kMoved, 1)).status()); }

TEST(Interleaving, G10UpdateBesideSearch) {
  Watched watched({"upsert.", "step.", "moment.", "search."},
                  {begun_with(), with(begun_with(), kMoved, 1)});
  watched.run(tiny_index, update, [](const Index& index) { return seen_by(index, kAll); });
}

// The looks at single nodes, too: between `hidden` and `shown`.
TEST(Interleaving, V2UpdateBesideTheLooksOfAScan) {
  Watched watched({"upsert.linked", "step.", "moment.number", "counts."},
                  {begun_with(), with(begun_with(), kMoved, 1)});
  watched.run(tiny_index, update, [](const Index& index) { return seen_by(index, kExactly); });
}

TEST(Interleaving, E4V3UpdateBesideGet) {
  const State before{{kMoved, 0}};
  Watched watched({"upsert.", "step.", "moment.", "get.", "stood."},
                  {before, with(before, kMoved, 1)});
  watched.run(tiny_index, update, [](const Index& index) {
    const Result<std::vector<float>> got = index.get(kMoved);
    State state;
    for (int g = 0; got && g < 4; ++g) {
      if (*got == point(kMoved, g)) state[kMoved] = g;
    }
    return state;
  });
}

// V4: a search that began while the label was erased may find it.
TEST(Interleaving, V4EraseAndResurrectBesideSearch) {
  Interleaver interleaver({"step.", "moment.", "search.", "counts."});
  std::size_t lost = 0;
  const std::size_t schedules = interleaver.run([&] {
    auto index = std::make_shared<Index>(tiny_index());
    auto answer = std::make_shared<State>();
    Interleaver::Case one;
    one.first = [=] {
      ASSERT_OK(index->erase(kMoved).status());
      ASSERT_OK(index->upsert(kMoved, point(kMoved, 0)).status());
    };
    one.second = [=] { *answer = seen_by(*index, kAll); };
    one.check = [&, answer](const Interleaver::Order& order) {
      const bool whole = *answer == begun_with();
      const bool lacks = *answer == without(begun_with(), kMoved);
      const bool must = order.first_then_second || order.second_then_first;
      if (whole || (lacks && !must)) return;
      if (++lost < 4) {
        ADD_FAILURE() << "saw " << words(*answer) << (order.first_then_second ? "after" : "")
                      << (order.second_then_first ? "before" : "");
      }
    };
    return one;
  });
  EXPECT_EQ(lost, 0u) << "of " << schedules << " orders";
}

// G11: a search that began before the erasure finds the label whatever the repair of it has done.
void erase_and_repair(Index& index) {
  ASSERT_OK(index.erase(kMoved).status());
  for (int slice = 0; slice < 8; ++slice) ASSERT_OK(index.repair({.slice = 64}).status());
  ASSERT_OK(index.upsert(kLabels, point(kLabels, 1)).status());  // into the slot, if it is free
}
std::vector<State> erased_and_repaired() {
  const State gone = without(begun_with(), kMoved);
  return {begun_with(), gone, with(gone, kLabels, 1)};
}
TEST(Interleaving, G11RepairBesideASearchBegunBefore) {
  Watched watched({"step.hidden", "repair.", "upsert.", "moment.", "search."},
                  erased_and_repaired());
  watched.run(tiny_index, erase_and_repair,
              [](const Index& index) { return seen_by(index, kAll); });
}
TEST(Interleaving, V1SlotReuseBesideScan) {
  Watched watched({"step.hidden", "repair.", "life.", "upsert.linked", "moment.number", "scan."},
                  erased_and_repaired());
  watched.run(tiny_index, erase_and_repair,
              [](const Index& index) { return seen_by(index, kExactly); });
}

TEST(Interleaving, G11RebuildsSwapBesideSearch) {
  const State gone = without(begun_with(), kMoved);
  Watched watched({"step.hidden", "rebuild.", "upsert.linked", "moment.", "search."},
                  {begun_with(), gone, with(gone, kLabels, 1)});
  watched.run(
      tiny_index,
      [](Index& index) {
        ASSERT_OK(index.erase(kMoved).status());
        ASSERT_OK(index.rebuild());
        ASSERT_OK(index.upsert(kLabels, point(kLabels, 1)).status());
      },
      [](const Index& index) { return seen_by(index, kAll); });
}

// All are erased and repaired away, and a new graph begins: who began before walks in the old one.
TEST(Interleaving, G11RepairOfEverythingBesideASearchBegunBefore) {
  Watched watched({"repair.", "upsert.linked", "moment.", "search."},
                  {begun_with(), State{}, State{{kLabels, 1}}});
  watched.run(
      tiny_index,
      [](Index& index) {
        ASSERT_OK(index.erase_batch(labels_up_to(kLabels)).status());
        for (int slice = 0; slice < 8; ++slice) ASSERT_OK(index.repair({.slice = 64}).status());
        ASSERT_OK(index.upsert(kLabels, point(kLabels, 1)).status());
      },
      [](const Index& index) { return seen_by(index, kAll); });
}

// A batch of more than an eighth is shown round by round: in any order each label is there once.
TEST(Interleaving, BatchRoundsBesideALabelSet) {
  Interleaver interleaver({"step.", "moment.", "listed.", "stood."});
  std::size_t wrong = 0;
  const std::size_t schedules = interleaver.run([&] {
    auto index = std::make_shared<Index>(tiny_index());
    auto answer = std::make_shared<State>();
    Interleaver::Case one;
    one.first = [=] {
      const std::vector<Label> labels = {0, kMoved};
      std::vector<float> rows = point(0, 1);
      const std::vector<float> second = point(kMoved, 1);
      rows.insert(rows.end(), second.begin(), second.end());
      ASSERT_OK(index->upsert_batch(labels, rows).status());
    };
    one.second = [=] {
      SearchOptions among = kExactly;
      among.filter = Filter::among(LabelSet(std::vector<Label>{0, kMoved}));
      *answer = seen_by(*index, among);
    };
    one.check = [&, answer](const Interleaver::Order& order) {
      const auto generation = [&](Label label) {
        return answer->contains(label) ? answer->at(label) : -1;
      };
      const int a = generation(0);
      const int b = generation(kMoved);
      const bool possible = (a == 0 || a == 1) && (b == 0 || b == 1);
      const bool late = order.first_then_second && a + b != 2;
      const bool early = order.second_then_first && a + b != 0;
      wrong += possible && !late && !early ? 0 : 1;
    };
    return one;
  });
  EXPECT_EQ(wrong, 0u) << "of " << schedules << " orders";
}

// One of at most an eighth is one step: all of it or nothing.
TEST(Interleaving, ASmallBatchIsOneStep) {
  constexpr std::size_t kMany = 17;
  State before;
  for (Label label = 0; label < kMany; ++label) before[label] = 0;
  Watched watched({"step.", "moment.", "search."}, {before, with(with(before, 0, 1), 9, 1)});
  watched.run(
      [] {
        Index index = *Index::in_memory(tiny_options());
        for (Label label = 0; label < kMany; ++label) {
          if (!index.upsert(label, point(label, 0)).ok()) std::abort();
        }
        return index;
      },
      [](Index& index) {
        const std::vector<Label> labels = {0, 9};
        std::vector<float> rows = point(0, 1);
        const std::vector<float> second = point(9, 1);
        rows.insert(rows.end(), second.begin(), second.end());
        ASSERT_OK(index.upsert_batch(labels, rows).status());
      },
      [](const Index& index) { return seen_by(index, kAll); });
}

}  // namespace
}  // namespace vicinal::testing
