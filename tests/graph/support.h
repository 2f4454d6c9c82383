// Shared by the graph tests: seeded data, graphs built in one call, recall against the exact scan.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "tests/for_sanitizer.h"

namespace vicinal::graph::testing {

using vicinal::testing::for_sanitizer;

/// A float32 row, as graphs take it and as they give it.
inline const std::byte* bytes_of(const float* row) {
  return reinterpret_cast<const std::byte*>(row);
}
inline const float* vector_of(const Graph& g, NodeId node) {
  return reinterpret_cast<const float*>(g.row(node));
}

/// Rows of floats.
struct Rows {
  std::size_t dimension = 0;
  std::vector<float> values;

  std::size_t size() const { return values.size() / dimension; }
  const float* row(std::size_t i) const { return values.data() + i * dimension; }
  const std::byte* bytes(std::size_t i) const { return bytes_of(row(i)); }
};

/// `count` points around `clusters` centers.
inline Rows clustered(std::size_t count, std::size_t dimension, std::uint64_t seed,
                      std::size_t clusters = 40, std::uint64_t center_seed = 7) {
  std::mt19937_64 center_random(center_seed);
  std::normal_distribution<float> normal;
  std::vector<float> centers(clusters * dimension);
  for (float& c : centers) c = normal(center_random);
  std::mt19937_64 random(seed);
  Rows rows{dimension, std::vector<float>(count * dimension)};
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t center = random() % clusters;
    for (std::size_t d = 0; d < dimension; ++d) {
      rows.values[i * dimension + d] = centers[center * dimension + d] + 0.5f * normal(random);
    }
  }
  return rows;
}

/// Squared L2 over codes; the defaults otherwise.
inline Config l2_config(std::uint32_t dimension, std::uint32_t M, std::uint32_t ef_construction) {
  Config config;
  config.dimension = dimension;
  config.M = M;
  config.ef_construction = ef_construction;
  config.metric = Metric::kSquaredL2;
  return config;
}

inline std::unique_ptr<Graph> make_graph(const Config& config) {
  auto made = Graph::create(config, internal::WorkerPool::shared());
  if (!made) std::abort();
  return std::move(*made);
}

inline NodeId add(Graph& g, Label label, const float* vector, NodeId replaced = kNoNode) {
  const Result<NodeId> node = g.add_node(label, bytes_of(vector), replaced);
  if (!node) std::abort();
  return *node;
}

/// Adds, links and shows one vector.
inline NodeId insert(Graph& g, Label label, const float* vector, NodeId replaced = kNoNode) {
  const NodeId node = add(g, label, vector, replaced);
  g.link(node);
  g.show(node);
  return node;
}

inline std::vector<NodeId> add_all(Graph& g, const Rows& rows, Label first = 0) {
  std::vector<NodeId> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back(add(g, first + i, rows.row(i)));
  return nodes;
}

/// A graph of `rows`, labels 0, 1, ..., linked as one batch.
inline std::unique_ptr<Graph> build(const Config& config, const Rows& rows, unsigned threads = 2) {
  std::unique_ptr<Graph> g = make_graph(config);
  const std::vector<NodeId> nodes = add_all(*g, rows);
  EXPECT_TRUE(g->link_batch(nodes, threads, {}));
  g->show(nodes);
  return g;
}

struct Answer {
  std::vector<Found> found;
  SearchCounters counters;
};

inline Answer search(const Graph& g, const float* query, std::size_t k, std::size_t ef,
                     const std::function<bool(Label)>* accept = nullptr) {
  Answer a;
  a.found.resize(k);
  SearchRequest request;
  request.query = query;
  request.k = k;
  request.ef = ef;
  request.accept = accept;
  a.found.resize(g.search(Moment(g), request, a.found, a.counters));
  return a;
}

inline Answer scan(const Graph& g, const float* query, std::size_t k,
                   const std::function<bool(Label)>* accept = nullptr) {
  Answer a;
  a.found.resize(k);
  SearchRequest request;
  request.query = query;
  request.k = k;
  request.accept = accept;
  a.found.resize(g.scan(Moment(g), request, a.found, a.counters));
  return a;
}

struct Recall {
  double share = 0;      ///< of the exact k, by distance, so that ties count
  double distances = 0;  ///< computed per search
};

inline Recall recall(const Graph& g, const Rows& queries, std::size_t k, std::size_t ef,
                     const std::function<bool(Label)>* accept = nullptr) {
  std::size_t hits = 0;
  std::size_t wanted = 0;
  std::uint64_t distances = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const Answer exact = scan(g, queries.row(q), k, accept);
    const Answer got = search(g, queries.row(q), k, ef, accept);
    EXPECT_EQ(got.found.size(), exact.found.size());
    distances += got.counters.distances;
    wanted += exact.found.size();
    if (exact.found.empty()) continue;
    const float worst = exact.found.back().distance;
    for (const Found& f : got.found) hits += f.distance <= worst ? 1 : 0;
  }
  return {wanted == 0 ? 1.0 : static_cast<double>(hits) / static_cast<double>(wanted),
          static_cast<double>(distances) /
              static_cast<double>(std::max<std::size_t>(queries.size(), 1))};
}

inline ValidateReport validated(const Graph& g) {
  ValidateReport report;
  EXPECT_TRUE(g.validate(report, 5, {}).ok());
  return report;
}

inline std::string words(const ValidateReport& report) {
  std::string all = std::to_string(report.problems) + " problems";
  for (const std::string& m : report.messages) all += "; " + m;
  return all;
}

inline void expect_sound(const Graph& g, const char* file, int line) {
  const ValidateReport report = validated(g);
  EXPECT_TRUE(report.sound()) << file << ':' << line << ": " << words(report);
}
#define EXPECT_SOUND(g) expect_sound(g, __FILE__, __LINE__)

/// repair() to the end, then every slot recycled. Returns how many slots were freed.
inline std::size_t repair_and_recycle(Graph& g, std::uint64_t slice = 0) {
  while (!g.repair(slice, {}).finished) {
  }
  std::size_t freed = 0;
  for (std::vector<NodeId> nodes = g.take_unlinked(1000); !nodes.empty();
       nodes = g.take_unlinked(1000)) {
    g.recycle(nodes);
    freed += nodes.size();
  }
  return freed;
}

inline double mean_degree(const ValidateReport& report) {
  double links = 0;
  double nodes = 0;
  for (std::size_t i = 0; i < report.degree_histogram.size(); ++i) {
    links += static_cast<double>(i * report.degree_histogram[i]);
    nodes += static_cast<double>(report.degree_histogram[i]);
  }
  return nodes == 0 ? 0 : links / nodes;
}

}  // namespace vicinal::graph::testing
