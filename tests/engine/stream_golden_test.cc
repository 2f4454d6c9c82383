// Streams of every version load, and what is saved now are the same bytes as then, but for which links a
// graph was given: those that are loaded are saved as they were.
//
// Vectors are small integers under squared L2 and the graph walks float32, so that distances are exact
// whatever the CPU. To make the files of a new version, run it with VICINAL_WRITE_GOLDEN=1; those of a
// released one are never made anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

const std::string kFolder = VICINAL_GOLDEN "/stream-v1/";
constexpr std::uint32_t kRow = 6;

std::vector<float> row_of(Label label) {
  std::uint64_t x = label * 0x9E3779B97F4A7C15u + 1;
  std::vector<float> row(kRow);
  for (float& component : row) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    component = static_cast<float>((x >> 40) % 31) - 15;
  }
  return row;
}

/// With a tombstone and a label that has its second vector.
Index built(bool graph) {
  IndexOptions options;
  options.dimension = kRow;
  options.metric = Metric::kSquaredL2;
  options.quantization = Quantization::kNone;
  options.M = 4;
  options.ef_construction = 20;
  options.threads = 1;
  options.reserve = graph ? 500 : 0;
  Index index = *Index::in_memory(options);
  for (Label label = 0; label < 50; ++label) EXPECT_TRUE(index.upsert(label, row_of(label)).ok());
  EXPECT_TRUE(index.upsert(7, row_of(107)).ok());
  EXPECT_TRUE(index.erase(9).ok());
  return index;
}

StreamBytes file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars((std::istreambuf_iterator<char>(file)),
                                std::istreambuf_iterator<char>());
  const auto bytes = std::as_bytes(std::span(chars));
  return {bytes.begin(), bytes.end()};
}

class StreamGolden : public ::testing::TestWithParam<bool> {
 protected:
  std::string path() const { return kFolder + (GetParam() ? "graph.bin" : "flat.bin"); }
};

TEST_P(StreamGolden, WhatIsSavedIsAsItWas) {
  const StreamBytes now = saved(built(GetParam()));
  if (std::getenv("VICINAL_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path(), std::ios::binary)
        .write(reinterpret_cast<const char*>(now.data()), static_cast<std::streamsize>(now.size()));
  }
  if (GetParam()) GTEST_SKIP() << "which links a graph gets may change: Loads holds their bytes";
  EXPECT_EQ(file_bytes(path()), now);
}

TEST_P(StreamGolden, Loads) {
  const StreamBytes bytes = file_bytes(path());
  const Index index = loaded(bytes);
  EXPECT_EQ(index.size(), 49u);
  EXPECT_EQ(index.stats().flat, !GetParam());
  EXPECT_EQ(index.options().metric, Metric::kSquaredL2);
  EXPECT_EQ(*index.get(7), row_of(107));
  EXPECT_FALSE(index.contains(9));
  for (Label label = 0; label < 50; ++label) {
    if (label == 7 || label == 9) continue;
    EXPECT_EQ(*index.get(label), row_of(label));
    EXPECT_EQ(index.search(row_of(label), {.k = 1})->hits.front().distance, 0.0f);
  }
  EXPECT_EQ(saved(index), bytes);
}

INSTANTIATE_TEST_SUITE_P(FlatAndGraph, StreamGolden, ::testing::Bool());

}  // namespace
}  // namespace vicinal::testing
