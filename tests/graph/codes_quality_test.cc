// How good the int8 codes are: distances against exact ones, recall against float32 traversal.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>

#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kCodedDimension = 96;

Rows random_rows(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Rows rows{kCodedDimension, std::vector<float>(count * kCodedDimension)};
  for (float& v : rows.values) v = normal(random);
  return rows;
}

Rows changed(Rows rows, const std::function<float(float, std::size_t)>& change) {
  for (std::size_t i = 0; i < rows.values.size(); ++i) {
    rows.values[i] = change(rows.values[i], i % rows.dimension);
  }
  return rows;
}

struct Shape {
  const char* name;
  std::function<float(float, std::size_t)> change;
};

const Shape kShapes[] = {
    {"random", [](float v, std::size_t) { return v; }},
    {"skewed", [](float v, std::size_t d) { return v * std::exp(-0.1f * static_cast<float>(d)); }},
    {"dominated", [](float v, std::size_t d) { return d == 17 ? 50.0f + v : v; }},
    {"positive", [](float v, std::size_t) { return std::abs(v); }},
    {"small", [](float v, std::size_t) { return v * 0.01f; }},
    {"huge", [](float v, std::size_t) { return v * 1e12f; }},
};

// Root mean square error of code distances over the spread of the exact ones.
double relative_error(Metric metric, const Rows& rows) {
  Config config;
  config.dimension = kCodedDimension;
  config.metric = metric;
  const auto g = make_graph(config);
  GraphState state(config, g->kernels(), internal::WorkerPool::shared());
  state.grow(rows.size());
  const BorrowedScratch scratch(state.scratches);
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    state.write_payload(NodeId{i}, i, 0, rows.bytes(i), *scratch);
  }
  double error = 0;
  double sum = 0;
  double squares = 0;
  std::size_t n = 0;
  for (std::uint32_t a = 0; a < 40; ++a) {
    const Scorer outside = Scorer::for_query(state, rows.row(a), *scratch);
    for (std::uint32_t b = 0; b < rows.size(); ++b) {
      if (a == b) continue;
      const double exact = g->distance(rows.row(a), rows.row(b));
      const double coded = outside(NodeId{b});
      const double inside =
          Scorer::for_node(state, NodeId{a}, Scorer::Side::kSecond, *scratch)(NodeId{b});
      EXPECT_NEAR(inside, coded, 1e-3 * std::max(1.0, std::abs(coded)));
      error += (coded - exact) * (coded - exact);
      sum += exact;
      squares += exact * exact;
      ++n;
    }
  }
  const auto count = static_cast<double>(n);
  const double spread = std::sqrt(std::max(squares / count - (sum / count) * (sum / count), 0.0));
  return std::sqrt(error / count) / spread;
}

TEST(CodeDistances, StayNearTheExactOnes) {
  for (const Shape& shape : kShapes) {
    const Rows rows = changed(random_rows(200, 1), shape.change);
    for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
      const double error = relative_error(metric, rows);
      EXPECT_LT(error, 0.05) << shape.name << " metric " << static_cast<int>(metric);
      ::testing::Test::RecordProperty(shape.name, std::to_string(error));
    }
  }
}

// Recall of int8 traversal may fall at most 0.005 below float32 traversal of the same beam.
void compare_traversals(const Rows& rows, const Rows& queries, Metric metric, std::uint32_t ef) {
  Config config;
  config.dimension = static_cast<std::uint32_t>(rows.dimension);
  config.metric = metric;
  config.ef_construction = 100;
  config.quantization = Quantization::kInt8;
  const double coded = recall(*build(config, rows), queries, 10, ef).share;
  config.quantization = Quantization::kNone;
  const double exact = recall(*build(config, rows), queries, 10, ef).share;
  EXPECT_GE(coded, exact - 0.005);
  EXPECT_GE(exact, 0.9);
}

TEST(CodeTraversal, RecallEqualsFloat32Traversal) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    SCOPED_TRACE(static_cast<int>(metric));
    compare_traversals(clustered(3000, 48, 1), clustered(200, 48, 2), metric, 64);
  }
}

float widen_half(std::uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const float fraction = static_cast<float>(h & 1023) / 1024.0f;
  const float value =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1.0f + fraction, exponent - 15);
  return (h & 0x8000) != 0 ? -value : value;
}

// The first `most` rows of a C-ordered .npy file of version 1, of float16 or of bytes.
Rows read_npy(const std::string& path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 10> start{};
  file.read(reinterpret_cast<char*>(start.data()), start.size());
  if (!file || std::memcmp(start.data(), "\x93NUMPY", 6) != 0) return {};
  std::string header(start[8] + std::size_t{256} * start[9], ' ');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  const std::size_t shape = header.find("'shape': (");
  if (!file || shape == std::string::npos) return {};
  const bool half = header.find("<f2") != std::string::npos;
  if (!half && header.find("|u1") == std::string::npos) return {};
  std::istringstream numbers(header.substr(shape + 10));
  std::size_t count = 0;
  std::size_t dimension = 0;
  char comma = 0;
  numbers >> count >> comma >> dimension;
  if (!numbers || dimension == 0) return {};
  const std::size_t values = std::min(count, most) * dimension;
  std::vector<unsigned char> bytes(values * (half ? 2 : 1));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) return {};
  Rows rows{dimension, std::vector<float>(values)};
  for (std::size_t i = 0; i < values; ++i) {
    rows.values[i] =
        half ? widen_half(static_cast<std::uint16_t>(bytes[2 * i] | (bytes[2 * i + 1] << 8)))
             : static_cast<float>(bytes[i]);
  }
  return rows;
}

void compare_on_sample(const std::string& name, Metric metric) {
  const char* folder = std::getenv("VICINAL_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "VICINAL_TEST_DATA is not set";
  const std::string base = std::string(folder) + "/" + name + "/base.npy";
  const Rows rows = read_npy(base, 8000);
  const Rows queries = read_npy(std::string(folder) + "/" + name + "/query.npy", 200);
  if (rows.values.empty() || queries.values.empty()) GTEST_SKIP() << base << " cannot be read";
  compare_traversals(rows, queries, metric, 100);
}

TEST(CodeTraversal, RecallOnWords) { compare_on_sample("words300", Metric::kCosine); }
TEST(CodeTraversal, RecallOnSift) { compare_on_sample("sift128", Metric::kSquaredL2); }

}  // namespace
}  // namespace vicinal::graph::testing
