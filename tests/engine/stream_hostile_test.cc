// Bytes that are no index: refused in words, whatever they are.
#include <gtest/gtest.h>

#include <functional>

#include "tests/engine/stream_reseal.h"
#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

using persist::kPieceHeaderBytes;
using persist::kPrefaceBytes;

/// A graph with a tombstone: preface, head, nodes, links, end.
Index hostile_graph() {
  IndexOptions options = small_options();
  options.dimension = 4;
  options.M = 4;
  options.repair_share = 0;
  Index index = *Index::in_memory(options);
  for (Label label = 0; label < 30; ++label) {
    EXPECT_TRUE(index.upsert(label, vector_of(label, 0, 4)).ok());
  }
  EXPECT_TRUE(index.erase(3).ok());
  return index;
}

/// Where the payloads of the small graph's pieces begin.
constexpr std::size_t kHead = kPrefaceBytes + kPieceHeaderBytes;
constexpr std::size_t kNodes = kHead + persist::StreamHead::kBytes + kPieceHeaderBytes;
std::size_t links_payload() {
  return kNodes + persist::NodesPiece(30, 4).bytes + kPieceHeaderBytes;
}

template <typename T>
void put(StreamBytes& bytes, std::size_t at, T value) {
  ASSERT_LE(at + sizeof value, bytes.size());
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

void expect_refused(StreamBytes bytes, const char* words, const std::string& what) {
  SCOPED_TRACE(what);
  reseal(bytes);
  const Result<Index> index = Index::load(out_of(bytes));
  ASSERT_FALSE(index.ok());
  EXPECT_CODE(index.status(), kCorruption, words);
}

// What would have to be linked: no index of so many is saved without links, and a few bytes would keep
// whoever loads them at work for minutes.
TEST(HostileStream, ManyNodesWithoutLinksAreRefused) {
  const auto flat = [](std::uint64_t nodes, std::uint32_t dimension) {
    IndexOptions options = flat_options();
    options.dimension = dimension;
    Index index = *Index::in_memory(options);
    const std::vector<Label> labels = labels_up_to(nodes);
    std::vector<float> rows;
    for (const Label label : labels) {
      const std::vector<float> row = vector_of(label, 0, dimension);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    EXPECT_TRUE(index.upsert_batch(labels, rows).ok());
    EXPECT_TRUE(index.stats().flat);
    return saved(index);
  };
  for (const auto& [nodes, dimension] : {std::pair(499u, 4u), {127u, 4096u}}) {
    const StreamBytes bytes = flat(nodes, dimension);
    EXPECT_EQ(Index::load(out_of(bytes))->size(), nodes);
    StreamBytes more = bytes;
    put<std::uint64_t>(more, kHead + 32, nodes + 1);
    put<std::uint64_t>(more, kHead + 40, nodes + 1);
    expect_refused(more, "without links", std::to_string(dimension));
  }
}

TEST(HostileStream, EveryTruncationIsNoticed) {
  const StreamBytes bytes = saved(hostile_graph());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Result<Index> index = Index::load(out_of(std::span(bytes).first(size)));
    ASSERT_FALSE(index.ok()) << size;
    EXPECT_CODE(index.status(), kCorruption, "ends after");
  }
}

TEST(HostileStream, EveryFlippedBitIsNoticed) {
  const StreamBytes bytes = saved(hostile_graph());
  StreamBytes flipped = bytes;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += bit < 800 ? 1 : 13) {
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const Result<Index> index = Index::load(out_of(flipped));
    ASSERT_FALSE(index.ok()) << "bit " << bit;
    const bool version = bit / 8 >= 8 && bit / 8 < 12;
    EXPECT_EQ(index.status().code(),
              version ? StatusCode::kFormatVersion : StatusCode::kCorruption);
    EXPECT_FALSE(index.status().message().empty());
    flipped[bit / 8] = bytes[bit / 8];
  }
}

TEST(HostileStream, WhatCannotBeIsRefusedThoughSumsAreRight) {
  const StreamBytes good = saved(hostile_graph());
  const persist::NodesPiece nodes(30, 4);
  const auto changed = [&](const char* words, const std::string& what,
                           const std::function<void(StreamBytes&)>& change) {
    StreamBytes bytes = good;
    change(bytes);
    expect_refused(std::move(bytes), words, what);
  };
  changed("does not begin", "magic", [](auto& b) { put(b, 0, 'X'); });
  changed("dimension", "dimension 0", [](auto& b) { put(b, kHead, 0u); });
  changed("M ", "M 3", [](auto& b) { put(b, kHead + 4, 3u); });
  changed("ef_construction", "ef 2^31", [](auto& b) { put(b, kHead + 8, 1u << 31); });
  changed("metric 9", "metric", [](auto& b) { put(b, kHead + 24, std::uint8_t{9}); });
  changed("entry point", "entry beyond", [](auto& b) { put(b, kHead + 28, 30u); });
  changed("nodes", "too many nodes", [](auto& b) { put(b, kHead + 32, ~std::uint64_t{0}); });
  changed("nodes came", "one node more", [](auto& b) { put(b, kHead + 32, std::uint64_t{31}); });
  changed("nodes behind", "one node less", [](auto& b) { put(b, kHead + 32, std::uint64_t{29}); });
  changed("live", "one live less", [](auto& b) { put(b, kHead + 40, std::uint64_t{28}); });
  changed("nodes of dimension", "count 2^61",
          [](auto& b) { put(b, kNodes, std::uint64_t{1} << 61); });
  changed("nodes of dimension", "count 0", [](auto& b) { put(b, kNodes, std::uint64_t{0}); });
  changed("two live nodes", "label twice", [](auto& b) { put(b, kNodes + 8, std::uint64_t{29}); });
  changed("level 32", "level", [&](auto& b) { put(b, kNodes + nodes.levels, std::uint8_t{32}); });
  changed("levels in all", "all high", [&](auto& b) {
    for (int i = 0; i < 30; ++i) put(b, kNodes + nodes.levels + i, std::uint8_t{31});
  });
  for (const int state : {0, 1, 4, 77}) {
    changed("has state", "state",
            [&](auto& b) { put(b, kNodes + nodes.states, static_cast<std::uint8_t>(state)); });
  }
  changed("not a finite number", "NaN", [&](auto& b) {
    put(b, kNodes + nodes.rows + 20, std::numeric_limits<float>::quiet_NaN());
  });
  changed("zero vector", "zeros",
          [&](auto& b) { put(b, kNodes + nodes.rows, std::array<float, 4>{}); });
  const std::size_t links = links_payload();
  changed("links of 30 nodes from 1", "first", [&](auto& b) { put(b, links, 1u); });
  changed("links of 31", "too many nodes", [&](auto& b) { put(b, links + 4, 31u); });
  changed("bytes are left", "too few nodes", [&](auto& b) { put(b, links + 4, 29u); });
  changed("links on 33 levels", "lists", [&](auto& b) { put(b, links + 8, 33u); });
  changed("links end beyond", "ids beyond",
          [&](auto& b) { put(b, links + 18, std::uint16_t{0xFFFF}); });
  changed("cannot be", "children", [&](auto& b) { put(b, links + 16, std::uint16_t{0xFFFF}); });
  changed("cannot be", "id beyond", [&](auto& b) { put(b, links + 20, 30u); });
  changed("cannot be", "to itself", [&](auto& b) { put(b, links + 20, 0u); });
  changed("cannot be", "twice", [&](auto& b) {
    std::uint32_t other = 0;
    std::memcpy(&other, b.data() + links + 24, sizeof other);
    put(b, links + 20, other);
  });
  changed("kind 7", "kind", [](auto& b) { put(b, b.size() - kPieceHeaderBytes, 7u); });
  changed("there are 30", "no links", [&](auto& b) {
    b.erase(b.begin() + static_cast<std::ptrdiff_t>(links - kPieceHeaderBytes),
            b.end() - static_cast<std::ptrdiff_t>(kPieceHeaderBytes));
  });
}

// Trees that disagree are mended, whoever made them.
TEST(HostileStream, ParentsThatAreNoneAreMended) {
  const StreamBytes good = saved(hostile_graph());
  for (const std::uint32_t parent : {0xFFFFFFFFu, 5u, 1234567u}) {
    for (const int every : {1, 3}) {
      StreamBytes bytes = good;
      const persist::Bytes payload = std::span(bytes).subspan(
          links_payload(), bytes.size() - links_payload() - kPieceHeaderBytes);
      persist::LinksReader reader = *persist::LinksReader::of(payload);
      std::array<graph::LevelLinksView, graph::kMaxLevels> levels;
      for (std::uint32_t i = 0; i < reader.count(); ++i) {
        const std::size_t lists = *reader.next(levels);
        for (std::size_t level = 0; level < lists && i % every == 0; ++level) {
          const auto children = levels[level].ids.first(levels[level].child_count);
          if (std::ranges::find(children, graph::NodeId{parent}) != children.end()) continue;
          const auto* ids = reinterpret_cast<const std::byte*>(levels[level].ids.data());
          put(bytes,
              static_cast<std::size_t>(ids - bytes.data()) - persist::LinksReader::kListBytes,
              parent);
        }
      }
      reseal(bytes);
      const Result<Index> index = Index::load(out_of(bytes));
      ASSERT_TRUE(index.ok()) << index.status().to_string();
      expect_sound(*index);
      for (Label label = 0; label < 30; ++label) EXPECT_EQ(index->contains(label), label != 3);
    }
  }
}

// E13: a few bytes say that they are gigabytes; a source gives more than was asked for.
TEST(HostileStream, TakesNoMemoryForWhatDoesNotCome) {
  StreamBytes bytes = saved(hostile_graph());
  put(bytes, kHead + 32, std::uint64_t{0x7FFFFFFF});
  put(bytes, kHead + 40, std::uint64_t{0x7FFFFFFF});
  bytes.resize(kNodes);
  put(bytes, kNodes - 16, std::uint64_t{(32 << 20) - kPieceHeaderBytes});
  reseal(bytes);
  EXPECT_CODE(Index::load(out_of(bytes)).status(), kCorruption, "ends after");
  bytes = saved(hostile_graph());
  put(bytes, kNodes - 16, std::uint64_t{1} << 40);
  EXPECT_CODE(Index::load(out_of(bytes)).status(), kCorruption, "1099511627776");
  EXPECT_CODE(Index::load([](std::span<std::byte> room) -> Result<std::size_t> {
                return room.size() + 1;
              }).status(),
              kInvalidArgument, "were asked for");
}

}  // namespace
}  // namespace vicinal::testing
