// Deferred payload: whatever of it is in memory, the graph answers and links as if all were.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kRows = rows_for_sanitizer(20'000);
constexpr std::size_t kFew = rows_for_sanitizer(2000);

/// Rows out of a test's memory. Shared by the source and what it opens.
struct Store {
  Rows rows;
  std::atomic<int> busy{0};         ///< so many times open() is kBusy
  std::atomic<bool> broken{false};  ///< no row is to be had
  std::atomic<int> until_throw{0};  ///< how many rows until one throws std::bad_alloc; 0: none
  std::atomic<int> opened{0};
};

class StoreRows final : public RowSource {
 public:
  explicit StoreRows(Store& store) : store_(store) {}
  const float* row(NodeId node) override {
    if (store_.until_throw > 0 && --store_.until_throw == 0) throw std::bad_alloc();
    return store_.broken ? nullptr : store_.rows.row(raw(node));
  }

 private:
  Store& store_;
};

class StoreSource final : public PayloadSource {
 public:
  explicit StoreSource(Store& store) : store_(store) {}
  Result<std::unique_ptr<RowSource>> open(Order) override {
    if (store_.busy.fetch_sub(1) > 0) return Status::busy("all readers are taken");
    ++store_.opened;
    return std::unique_ptr<RowSource>(new StoreRows(store_));
  }

 private:
  Store& store_;
};

Config config_of(Metric metric, Quantization quantization) {
  Config config = l2_config(20, 8, 40);
  config.metric = metric;
  config.quantization = quantization;
  return config;
}

/// A copy of `g`, whose rows are in `store`, as opening makes it.
std::unique_ptr<Graph> reopen(const Graph& g, Store& store, Payload payload = Payload::kLater) {
  std::unique_ptr<Graph> copy = make_graph(g.config());
  const std::uint64_t limit = g.node_limit();
  copy->defer_payload(std::make_unique<StoreSource>(store), limit);
  std::vector<StoredPayload> nodes;
  for (std::uint32_t i = 0; i < limit; ++i) {
    const NodeId node{i};
    if (g.state(node) == NodeState::kFree) continue;
    nodes.push_back({node, g.label(node), g.level(node), g.state(node), store.rows.row(i)});
  }
  EXPECT_TRUE(copy->place_nodes(nodes, payload).ok());
  copy->finish_placing(limit);
  for (std::uint32_t i = 0; i < limit; ++i) {
    const NodeLinks links = g.links(NodeId{i});
    if (links.empty()) continue;
    std::vector<LevelLinksView> levels;
    for (const LevelLinks& l : links) levels.push_back({l.parent, l.child_count, l.ids});
    const StoredLinks stored{NodeId{i}, levels};
    copy->restore_links({&stored, 1});
  }
  copy->finish_restoring(g.entry_point(), false);
  return copy;
}

/// As the engine searches while something is deferred: rows come from the store, or from memory.
class MixedRows final : public RowSource {
 public:
  MixedRows(const Graph& g, Store& store) : g_(g), rows_(store) {}
  const float* row(NodeId node) override {
    const float* const kept = g_.vector(node);
    return kept != nullptr ? kept : rows_.row(node);
  }

 private:
  const Graph& g_;
  StoreRows rows_;
};

std::vector<Found> ask(const Graph& g, Store& store, const float* query) {
  MixedRows rows(g, store);
  SearchRequest request;
  request.query = query;
  request.k = 10;
  request.ef = 40;
  request.rows = &rows;
  std::vector<Found> found(10);
  SearchCounters counters;
  found.resize(g.search(Moment(g), request, found, counters));
  return found;
}

void expect_same_answers(const Graph& a, const Graph& b, Store& store, const Rows& queries) {
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const std::vector<Found> one = ask(a, store, queries.row(q));
    const std::vector<Found> other = ask(b, store, queries.row(q));
    ASSERT_EQ(one.size(), other.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      ASSERT_EQ(one[i].label, other[i].label) << "query " << q << ", hit " << i;
      ASSERT_EQ(one[i].distance, other[i].distance) << "query " << q << ", hit " << i;
    }
  }
}

using Kind = std::tuple<Metric, Quantization>;

class Deferred : public ::testing::TestWithParam<Kind> {
 protected:
  Config config() const { return config_of(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, Deferred,
                         ::testing::Combine(::testing::Values(Metric::kCosine, Metric::kSquaredL2,
                                                              Metric::kInnerProduct),
                                            ::testing::Values(Quantization::kInt8,
                                                              Quantization::kNone)));

// Distances of nodes that are not here are those of the codes that will be: to the bit.
TEST_P(Deferred, AnswersAreTheSameBeforeAndAfterLoading) {
  Store store{clustered(kFew, 20, 1)};
  const Rows queries = clustered(50, 20, 2);
  const auto original = build(config(), store.rows);
  const auto late = reopen(*original, store);
  EXPECT_EQ(late->deferred(), kFew);
  EXPECT_EQ(late->vector(NodeId{5}), nullptr);
  expect_same_answers(*original, *late, store, queries);
  EXPECT_EQ(late->deferred(), kFew) << "searches load nothing";

  ASSERT_TRUE(late->load_deferred(2, {}).ok());
  EXPECT_EQ(late->deferred(), 0u);
  const int opened = store.opened;
  ASSERT_NE(late->vector(NodeId{5}), nullptr);
  EXPECT_EQ(0, std::memcmp(late->vector(NodeId{5}), store.rows.row(5), 20 * sizeof(float)));
  expect_same_answers(*original, *late, store, queries);
  EXPECT_EQ(store.opened, opened) << "all is in memory";
}

// Vectors linked while their neighbors are not here get the links they would have got.
TEST_P(Deferred, LinksAreTheSame) {
  Store store{clustered(kFew, 20, 1)};
  const Rows more = clustered(60, 20, 3);
  const auto original = build(config(), store.rows);
  const auto late = reopen(*original, store);
  const auto now = reopen(*original, store, Payload::kNow);
  for (std::size_t i = 0; i < more.size(); ++i) {
    insert(*late, 5000 + i, more.row(i));
    insert(*now, 5000 + i, more.row(i));
  }
  EXPECT_EQ(late->deferred(), kFew);
  EXPECT_EQ(now->deferred(), 0u);
  for (std::uint32_t i = 0; i < late->node_limit(); ++i) {
    ASSERT_EQ(late->links(NodeId{i}), now->links(NodeId{i})) << "node " << i;
  }
  EXPECT_SOUND(*late);
}

TEST(DeferredPayload, HalfLoadedGraphsAnswerTheSame) {
  Store store{clustered(kRows, 20, 1)};
  const Rows queries = clustered(40, 20, 2);
  const auto original = build(config_of(Metric::kCosine, Quantization::kInt8), store.rows);
  const auto late = reopen(*original, store);
  int steps = 0;
  const Status status =
      late->load_deferred(1, [&](std::uint64_t, std::uint64_t) { return ++steps < 2; });
  if (kRows > 8192) {
    EXPECT_EQ(status.code(), StatusCode::kCancelled);
    EXPECT_GT(late->deferred(), 0u);
    EXPECT_LT(late->deferred(), kRows);
  }
  expect_same_answers(*original, *late, store, queries);
  ASSERT_TRUE(late->load_deferred(2, {}).ok());
  EXPECT_EQ(late->deferred(), 0u);
}

// D3: the new vector of a slot is not overwritten by the old one, which was still to come.
TEST(DeferredPayload, D4ReusedSlotsKeepTheirNewVectors) {
  Store store{clustered(600, 20, 1)};
  const Rows fresh = clustered(300, 20, 9);
  const auto original = build(config_of(Metric::kSquaredL2, Quantization::kInt8), store.rows);
  const auto late = reopen(*original, store);
  for (std::uint32_t i = 0; i < 600; i += 2) late->erase(NodeId{i});
  ASSERT_EQ(repair_and_recycle(*late), 300u);
  for (std::size_t i = 0; i < 200; ++i) insert(*late, 1000 + i, fresh.row(i));
  ASSERT_TRUE(late->load_deferred(2, {}).ok());
  EXPECT_EQ(late->deferred(), 0u) << "slots that are free or taken have nothing to load";
  EXPECT_SOUND(*late);
  for (std::size_t i = 0; i < 200; ++i) {
    const Answer a = search(*late, fresh.row(i), 1, 100);
    ASSERT_EQ(a.found.size(), 1u);
    EXPECT_EQ(a.found[0].label, 1000 + i);
    EXPECT_EQ(a.found[0].distance, 0);
  }
}

TEST(DeferredPayload, BusyReadersAreWaitedFor) {
  Store store{clustered(500, 20, 1)};
  const auto original = build(config_of(Metric::kCosine, Quantization::kInt8), store.rows);
  const auto late = reopen(*original, store);
  store.busy = 3;
  EXPECT_EQ(ask(*late, store, store.rows.row(7)).front().label, 7u);
  EXPECT_TRUE(late->deferred_status().ok());
  EXPECT_EQ(late->deferred(), 500u);
}

// D5: what cannot be read is said, by loading and after a search, and nothing waits for ever.
TEST(DeferredPayload, RowsThatCannotBeReadAreReported) {
  Store store{clustered(500, 20, 1)};
  const auto original = build(config_of(Metric::kCosine, Quantization::kInt8), store.rows);
  const auto searched = reopen(*original, store);
  const auto loaded = reopen(*original, store);
  store.broken = true;
  (void)ask(*searched, store, store.rows.row(7));
  EXPECT_EQ(searched->deferred_status().code(), StatusCode::kIoError);
  const Status status = loaded->load_deferred(2, {});
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_NE(status.message().find("node "), std::string::npos) << status.message();
  EXPECT_EQ(loaded->deferred(), 500u);
}

// A node that was being loaded is not stuck: loading goes on where it stopped.
TEST(DeferredPayload, OutOfMemoryLeavesTheRestToLoad) {
  Store store{clustered(500, 20, 1)};
  const Rows queries = clustered(10, 20, 2);
  const auto original = build(config_of(Metric::kCosine, Quantization::kInt8), store.rows);
  const auto late = reopen(*original, store);
  store.until_throw = 100;
  EXPECT_THROW((void)late->load_deferred(1, {}), std::bad_alloc);
  EXPECT_EQ(late->deferred(), 401u);
  EXPECT_TRUE(late->deferred_status().ok());
  expect_same_answers(*original, *late, store, queries);
  ASSERT_TRUE(late->load_deferred(1, {}).ok());
  EXPECT_EQ(late->deferred(), 0u);
  expect_same_answers(*original, *late, store, queries);
}

// D1, D2 under threads: searches, inserts and erasures beside two loaders.
TEST(DeferredPayload, LoadingBesideReadersAndWriters) {
  Store store{clustered(kRows, 20, 1)};
  const Rows queries = clustered(30, 20, 2);
  const Rows more = clustered(40, 20, 3);
  const auto original = build(config_of(Metric::kCosine, Quantization::kInt8), store.rows);
  const auto late = reopen(*original, store);
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    while (!done) {
      for (std::size_t q = 0; q < queries.size(); ++q) {
        EXPECT_EQ(ask(*late, store, queries.row(q)).size(), 10u);
      }
    }
  });
  threads.emplace_back([&] {
    for (std::size_t i = 0; i < more.size(); ++i) {
      insert(*late, kRows + i, more.row(i));
      late->erase(NodeId{static_cast<std::uint32_t>(i)});
    }
  });
  threads.emplace_back([&] { EXPECT_TRUE(late->load_deferred(2, {}).ok()); });
  EXPECT_TRUE(late->load_deferred(1, {}).ok());
  EXPECT_EQ(late->deferred(), 0u);
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_SOUND(*late);
  for (std::size_t i = 0; i < more.size(); ++i) {
    const Answer a = search(*late, more.row(i), 1, 100);
    ASSERT_EQ(a.found.size(), 1u);
    EXPECT_EQ(a.found[0].label, kRows + i);
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
