// The small pieces under the index, each against every order of the steps of two calls: epochs, claims,
// the label map, the commit queue, loading beside writes.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>

#include "engine/base/step_hook.h"
#include "graph/epoch.h"
#include "tests/engine/engine_testing.h"
#include "tests/interleaving/interleaver.h"

namespace vicinal::testing {
namespace {

void tell(std::size_t orders) { std::printf("%zu orders\n", orders); }

// What was unlinked is not used again while somebody is inside who may have found it before.
TEST(Pieces, NothingIsReusedUnderAReader) {
  Interleaver interleaver({"reader.", "writer.", "epoch."});
  const std::size_t orders = interleaver.run([] {
    struct World {
      graph::EpochDomain epochs;
      graph::EpochDomain::Participant* reader = epochs.add_participant();
      std::atomic<int> linked{0};  ///< which of the two blocks
      std::array<std::atomic<bool>, 2> reused{};
      bool read_reused = false;
    };
    auto world = std::make_shared<World>();
    Interleaver::Case one;
    one.first = [=] {
      VICINAL_STEP_POINT("writer.begins");
      world->linked.store(1, std::memory_order_release);
      const std::uint64_t tag = world->epochs.retire_tag();
      while (world->epochs.advance() <= tag) VICINAL_STEP_POINT("wait.reader");
      world->reused[0] = true;
    };
    one.second = [=] {
      VICINAL_STEP_POINT("reader.begins");
      world->epochs.enter(*world->reader);
      VICINAL_STEP_POINT("reader.inside");
      const int block = world->linked.load(std::memory_order_acquire);
      VICINAL_STEP_POINT("reader.found");
      world->read_reused = world->reused[static_cast<std::size_t>(block)];
      graph::EpochDomain::leave(*world->reader);
    };
    one.check = [=](const Interleaver::Order&) { EXPECT_FALSE(world->read_reused); };
    return one;
  });
  EXPECT_GT(orders, 10u);
  tell(orders);
}

IndexOptions graph_options() {
  IndexOptions options = small_options();
  options.repair_share = 0;
  options.threads = 1;
  return options;
}

Index of_eight() {
  Index index = *Index::in_memory(graph_options());
  for (Label label = 0; label < 8; ++label) {
    if (!index.upsert(label, vector_of(label)).ok()) std::abort();
  }
  return index;
}

constexpr Label kOne = 3;

/// Two calls on one label, after which it has one of `generations` (none: it is gone).
void race(const std::function<void(Index&)>& first, const std::function<void(Index&)>& second,
          const std::function<bool(const Index&, const Interleaver::Order&)>& right) {
  Interleaver interleaver({"claims.", "upsert.stored", "step.hidden"}, true);
  std::size_t wrong = 0;
  const std::size_t orders = interleaver.run([&] {
    auto index = std::make_shared<Index>(of_eight());
    Interleaver::Case one;
    one.first = [&, index] { first(*index); };
    one.second = [&, index] { second(*index); };
    one.check = [&, index](const Interleaver::Order& order) {
      wrong += right(*index, order) ? 0 : 1;
      expect_sound(*index);
    };
    return one;
  });
  EXPECT_EQ(wrong, 0u) << "of " << orders << " orders";
  EXPECT_GT(orders, 2u);
  tell(orders);
}

bool has(const Index& index, Label label, std::uint64_t generation) {
  const Result<std::vector<float>> stored = index.get(label);
  return stored.ok() && *stored == vector_of(label, generation);
}

// E1
TEST(Pieces, TwoUpsertsOfOneLabel) {
  race([](Index& index) { ASSERT_OK(index.upsert(kOne, vector_of(kOne, 1)).status()); },
       [](Index& index) { ASSERT_OK(index.upsert(kOne, vector_of(kOne, 2)).status()); },
       [](const Index& index, const Interleaver::Order& order) {
         if (order.first_then_second && !has(index, kOne, 2)) return false;
         if (order.second_then_first && !has(index, kOne, 1)) return false;
         return index.size() == 8 && (has(index, kOne, 1) || has(index, kOne, 2));
       });
}

TEST(Pieces, AnEraseBesideAnUpsertOfOneLabel) {
  race([](Index& index) { ASSERT_OK(index.erase(kOne).status()); },
       [](Index& index) { ASSERT_OK(index.upsert(kOne, vector_of(kOne, 1)).status()); },
       [](const Index& index, const Interleaver::Order& order) {
         if (order.first_then_second) return index.size() == 8 && has(index, kOne, 1);
         if (order.second_then_first) return index.size() == 7 && !index.contains(kOne);
         return index.contains(kOne) ? index.size() == 8 && has(index, kOne, 1) : index.size() == 7;
       });
}

// Batches that share labels claim them in one order, whatever order they were given in.
TEST(Pieces, TwoBatchesOfTheSameLabelsTheOtherWayRound) {
  const auto batch = [](Index& index, std::vector<Label> labels, std::uint64_t generation) {
    ASSERT_OK(index.upsert_batch(labels, matrix_of(labels, generation)).status());
  };
  race(
      [&](Index& index) {
        batch(index, {2, 5}, 1);
      },
      [&](Index& index) {
        batch(index, {5, 2}, 2);
      },
      [](const Index& index, const Interleaver::Order&) {
        return index.size() == 8 &&
               ((has(index, 2, 1) && has(index, 5, 1)) || (has(index, 2, 2) && has(index, 5, 2)));
      });
}

// Labels move from one set into many while somebody looks for one.
TEST(Pieces, LookingWhileTheLabelMapIsDealtOut) {
  constexpr Label kFew = 512;
  Interleaver interleaver({"labels."}, true);
  const std::size_t orders = interleaver.run(
      [] {
        auto index = std::make_shared<Index>(*Index::in_memory(graph_options()));
        const std::vector<Label> labels = labels_up_to(kFew);
        EXPECT_TRUE(index->upsert_batch(labels, matrix_of(labels)).ok());
        auto found = std::make_shared<bool>(false);
        Interleaver::Case one;
        one.first = [=] {
          ASSERT_OK(index->upsert(kFew, vector_of(kFew)).status());
          ASSERT_OK(index->upsert(kFew + 1, vector_of(kFew + 1)).status());
        };
        one.second = [=] { *found = has(*index, 0, 0) && has(*index, kFew - 1, 0); };
        one.check = [=](const Interleaver::Order&) {
          EXPECT_TRUE(*found);
          EXPECT_EQ(index->size(), kFew + 2);
        };
        return one;
      },
      40);
  EXPECT_GT(orders, 1u);
  tell(orders);
}

/// A store of one index with eight labels, in a folder that goes with it.
struct Stored {
  Stored() : store(*Store::open(folder.file("s"), options())) {
    index = *store.index("text", graph_options());
    const std::vector<Label> labels = labels_up_to(8);
    if (!index->upsert_batch(labels, matrix_of(labels)).ok()) std::abort();
  }
  static StoreOptions options() {
    StoreOptions options;
    options.durability = Durability::kNone;  // the writers commit themselves
    options.background = false;
    return options;
  }
  void reopen() {
    if (!store.close().ok()) std::abort();
    store = *Store::open(folder.file("s"), options());
    index = *store.open_index("text");
  }

  TemporaryFolder folder;
  Store store;
  std::optional<Index> index;
};

// Whoever leads the commit takes the other along or leaves it to the next: both are stored.
TEST(Pieces, TwoWritersInTheCommitQueue) {
  Interleaver interleaver({"commit."}, true);
  const std::size_t orders = interleaver.run(
      [] {
        auto stored = std::make_shared<Stored>();
        Interleaver::Case one;
        one.first = [=] { ASSERT_OK(stored->index->upsert(1, vector_of(1, 1)).status()); };
        one.second = [=] { ASSERT_OK(stored->index->upsert(2, vector_of(2, 1)).status()); };
        one.check = [=](const Interleaver::Order&) {
          stored->reopen();
          EXPECT_TRUE(has(*stored->index, 1, 1));
          EXPECT_TRUE(has(*stored->index, 2, 1));
          EXPECT_EQ(stored->index->size(), 8u);
        };
        return one;
      },
      200);
  EXPECT_GT(orders, 5u);
  tell(orders);
}

// What is loaded is of one moment, whatever is written to the store meanwhile.
TEST(Pieces, LoadingAnIndexBesideWritesToAnother) {
  Interleaver interleaver({"load.", "commit.leads", "commit.led"}, true);
  const std::size_t orders = interleaver.run(
      [] {
        auto stored = std::make_shared<Stored>();
        stored->reopen();
        Result<Index> other = stored->store.index("other", graph_options());
        EXPECT_TRUE(other.ok());
        auto loaded = std::make_shared<std::optional<Index>>();
        stored->index.reset();
        if (!stored->store.close().ok()) std::abort();
        stored->store = *Store::open(stored->folder.file("s"), Stored::options());
        other = stored->store.open_index("other");
        Interleaver::Case one;
        one.first = [=]() mutable {
          ASSERT_OK(other->upsert(1, vector_of(1, 7)).status());
          ASSERT_OK(other->checkpoint());
        };
        one.second = [=] { *loaded = *stored->store.open_index("text"); };
        one.check = [=](const Interleaver::Order&) {
          for (Label label = 0; label < 8; ++label) EXPECT_TRUE(has(**loaded, label, 0)) << label;
          EXPECT_TRUE(has(*other, 1, 7));
          expect_sound(**loaded, true);
          expect_sound(*other, true);
        };
        return one;
      },
      200);
  EXPECT_GT(orders, 5u);
  tell(orders);
}

}  // namespace
}  // namespace vicinal::testing
