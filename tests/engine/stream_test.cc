// An index as bytes: what is loaded is what was saved, and nothing else is taken.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

TEST(Stream, AGraphComesBackAsItWas) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    for (const Quantization quantization : {Quantization::kInt8, Quantization::kNone}) {
      IndexOptions options = small_options();
      options.metric = metric;
      options.quantization = quantization;
      options.seed = 7;
      options.ef_search = 77;
      const Index index = filled(3000, options);
      const Index copy = loaded(saved(index));
      expect_same_content(index, copy);
      expect_same_answers(index, copy);
      const IndexOptions back = copy.options();
      EXPECT_EQ(back.metric, metric);
      EXPECT_EQ(back.quantization, quantization);
      EXPECT_EQ(back.M, options.M);
      EXPECT_EQ(back.ef_construction, options.ef_construction);
      EXPECT_EQ(back.ef_search, 77u);
      EXPECT_EQ(back.seed, 7u);
      EXPECT_EQ(copy.stats().links_by_level, index.stats().links_by_level);
      EXPECT_EQ(saved(copy), saved(index)) << "what is saved again are the same bytes";
    }
  }
}

TEST(Stream, TombstonesStayBetweenTheLivingAndCanBeRepairedAway) {
  IndexOptions options = small_options();
  options.repair_share = 0;
  Index index = filled(2000, options);
  ASSERT_TRUE(index.erase_batch(labels_up_to(700, 100)).ok());
  for (Label label = 1000; label < 1100; ++label) {
    ASSERT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
  }
  IndexOptions tuned;
  tuned.repair_share = 0;
  Index copy = loaded(saved(index), tuned);
  expect_same_content(index, copy);
  expect_same_answers(index, copy);
  EXPECT_EQ(copy.stats().tombstones, index.stats().tombstones);
  EXPECT_EQ(*copy.upsert(200, vector_of(200)), UpsertOutcome::kResurrected);
  ASSERT_OK(copy.repair().status());
  EXPECT_EQ(copy.stats().tombstones, 0u);
  expect_sound(copy);
  EXPECT_EQ(*copy.upsert(1000, vector_of(1000, 1)), UpsertOutcome::kUnchanged);
}

TEST(Stream, FreeSlotsAreLeftOut) {
  Index index = filled(2000);
  ASSERT_TRUE(index.erase_batch(labels_up_to(900, 50)).ok());
  ASSERT_OK(index.repair().status());
  ASSERT_GT(index.stats().free_slots, 0u);
  const Index copy = loaded(saved(index));
  EXPECT_EQ(copy.stats().free_slots, 0u);
  expect_same_content(index, copy);
  expect_same_answers(index, copy);
}

TEST(Stream, AFlatIndexStaysFlatAndGrowsOn) {
  Index index = filled(300, flat_options());
  ASSERT_TRUE(index.erase_batch(labels_up_to(20, 40)).ok());
  Index copy = loaded(saved(index));
  EXPECT_TRUE(copy.stats().flat);
  EXPECT_EQ(copy.stats().tombstones, 0u);
  expect_same_content(index, copy);
  for (Label label = 300; label < 800; ++label) {
    ASSERT_TRUE(copy.upsert(label, vector_of(label)).ok());
  }
  EXPECT_FALSE(copy.stats().flat);
  expect_sound(copy);
  // A flat one that the tuning wants as a graph.
  IndexOptions tuning;
  tuning.reserve = 1000;
  const Index graph = loaded(saved(index), tuning);
  EXPECT_FALSE(graph.stats().flat);
  expect_same_content(index, graph);
}

TEST(Stream, EmptyAndSingle) {
  for (const IndexOptions& options : {small_options(), flat_options()}) {
    for (const std::size_t count : {0u, 1u}) {
      const Index index = filled(count, options);
      Index copy = loaded(saved(index));
      EXPECT_EQ(copy.size(), count);
      EXPECT_TRUE(copy.upsert(5, vector_of(5)).ok());
      EXPECT_EQ(copy.search(vector_of(5), {.k = 1})->hits.front().label, 5u);
      expect_sound(copy);
    }
  }
}

TEST(Stream, TakesWhatItNeedsInWhateverPartsItComes) {
  const Index index = filled(600);
  StreamBytes bytes = saved(index);
  const std::size_t end = bytes.size();
  bytes.resize(end + 100);
  std::size_t taken = 0;
  for (const std::size_t at_once : {std::size_t{1}, std::size_t{1000}, ~std::size_t{0}}) {
    const Result<Index> copy = Index::load(out_of(bytes, at_once, &taken));
    ASSERT_TRUE(copy.ok()) << copy.status().to_string();
    EXPECT_EQ(taken, end);
    expect_same_answers(index, *copy, 5);
  }
}

TEST(Stream, LargeRowsMakeManyPieces) {
  IndexOptions options = small_options();
  options.dimension = 65536;
  options.quantization = Quantization::kNone;
  const Index index = filled(20, options);
  std::size_t pieces = 0;
  StreamBytes bytes;
  ASSERT_OK(index.save([&](std::span<const std::byte> piece) {
    EXPECT_LE(piece.size(), (32u << 20) + 16);
    ++pieces;
    return into(bytes)(piece);
  }));
  EXPECT_GE(pieces, 5u);
  expect_same_content(index, loaded(bytes));
}

TEST(Stream, AnIndexOfAStoreIsSavedToo) {
  for (const bool in_memory : {true, false}) {
    const TemporaryFolder folder;
    Store store = *Store::open(folder.file("s"), quick_store());
    IndexOptions options = small_options();
    options.vectors_in_memory = in_memory;
    Index index = *store.index("t", options);
    const std::vector<Label> labels = labels_up_to(1500);
    ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
    ASSERT_OK(index.checkpoint());
    for (Label label = 1500; label < 1600; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
    }
    // The sink may use the store.
    StreamBytes bytes;
    ASSERT_OK(index.save([&](std::span<const std::byte> piece) {
      EXPECT_TRUE(index.upsert(5000, vector_of(5000)).ok());
      return into(bytes)(piece);
    }));
    const Index copy = loaded(bytes);
    EXPECT_EQ(copy.size(), 1600u);
    EXPECT_FALSE(copy.contains(5000));
    EXPECT_EQ(*copy.get(1599), vector_of(1599));
    EXPECT_EQ(copy.options().vectors_in_memory, true);
    ASSERT_OK(store.close());
    EXPECT_CODE(index.save(into(bytes)), kClosed, "closed");
  }
}

TEST(Stream, ErrorsOfSinkAndSourceComeThrough) {
  const Index index = filled(600);
  EXPECT_CODE(index.save([](std::span<const std::byte>) { return Status::io_error("disk gone"); }),
              kIoError, "disk gone");
  EXPECT_CODE(Index::load([](std::span<std::byte>) -> Result<std::size_t> {
                return Status::io_error("disk gone");
              }).status(),
              kIoError, "disk gone");
  const StreamBytes bytes = saved(index);
  IndexOptions tuning;
  tuning.dimension = 17;
  EXPECT_CODE(Index::load(out_of(bytes), tuning).status(), kInvalidArgument, "dimension 17");
  tuning = {};
  tuning.progress = [](const Progress&) { return false; };
  EXPECT_CODE(Index::load(out_of(bytes), tuning).status(), kCancelled, "of 600 vectors");
}

// Every label goes through generations one after the other, and labels that are erased come back: what
// is saved beside that is one moment: of the writer's operations a first part, none left out.
TEST(Stream, IsOneMomentBesideWriters) {
  constexpr Label kLabels = 800;
  Index index = filled(kLabels);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> rounds{0};
  // The writer: label r % kLabels gets generation r / kLabels + 1, in this order.
  std::jthread writer([&] {
    for (std::uint64_t r = 0; !stop.load(); ++r) {
      const Label label = r % kLabels;
      ASSERT_TRUE(index.upsert(label, vector_of(label, r / kLabels + 1)).ok());
      rounds.store(r + 1);
    }
  });
  for (int save = 0; save < 12; ++save) {
    const std::uint64_t before = rounds.load();
    StreamBytes bytes;
    bool first = true;
    std::uint64_t after = 0;
    ASSERT_OK(index.save([&](std::span<const std::byte> piece) {
      if (std::exchange(first, false)) after = rounds.load() + 1;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      return into(bytes)(piece);
    }));
    const Index copy = loaded(bytes);
    ASSERT_EQ(copy.size(), kLabels);
    // Find r: how many operations are in it.
    std::uint64_t highest = 0;
    std::map<Label, std::uint64_t> generations;
    for (Label label = 0; label < kLabels; ++label) {
      const std::vector<float> stored = *copy.get(label);
      std::uint64_t generation = before / kLabels;
      while (generation <= after / kLabels + 1 && stored != vector_of(label, generation))
        ++generation;
      ASSERT_LE(generation, after / kLabels + 1);
      generations[label] = generation;
      if (generation > 0) highest = std::max(highest, (generation - 1) * kLabels + label + 1);
    }
    EXPECT_GE(highest, before);
    EXPECT_LE(highest, after);
    for (Label label = 0; label < kLabels; ++label) {
      EXPECT_EQ(generations[label], (highest + kLabels - 1 - label) / kLabels) << label;
    }
  }
  stop.store(true);
}

TEST(Stream, BesideABatchRepairAndRebuildsIsSoundAndHasAllThatStood) {
  constexpr Label kKept = 1500;
  Index index = filled(kKept);
  std::atomic<bool> stop{false};
  std::jthread batches([&] {
    for (std::uint64_t round = 0; !stop.load(); ++round) {
      const std::vector<Label> labels = labels_up_to(600, 10'000 + 600 * (round % 3));
      ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels, round), {.threads = 2}).ok());
      ASSERT_TRUE(index.erase_batch(labels).ok());
    }
  });
  std::jthread maintenance([&] {
    for (int i = 0; !stop.load(); ++i) {
      ASSERT_OK(i % 4 == 3 ? index.rebuild() : index.repair({.slice = 500}).status());
    }
  });
  for (std::size_t save = 0; save < for_sanitizer(15); ++save) {
    StreamBytes bytes;
    ASSERT_OK(index.save([&](std::span<const std::byte> piece) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return into(bytes)(piece);
    }));
    const Index copy = loaded(bytes);
    ASSERT_GE(copy.size(), kKept);
    for (Label label = 0; label < kKept; label += 7) {
      const auto found = copy.search(vector_of(label), {.k = 1, .ef_search = 200});
      EXPECT_EQ(found->hits.front().label, label);
    }
  }
  stop.store(true);
}

}  // namespace
}  // namespace vicinal::testing
