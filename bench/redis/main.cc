// The same work by the library alone and by a Redis server with the module; bench/redis/run puts the
// figures side by side.
//
// usage: vicinal-bench-redis library|fill|search|write [options]
//   library  an index in memory: inserts one by one and in a batch, searches, memory
//   fill     VADD of all vectors to the key `bench`, pipelined, from --writers connections
//   search   VSIM from --clients connections, each one query after the other
//   write    VADD of other vectors to elements that are there, one a time, until --seconds are over;
//            the server would do nothing for a vector that the element has, so --first says how
//            many earlier runs wrote, and this one goes on behind them
// Prints one line of JSON. Inserts are by one thread each: the server has one that writes.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <future>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/common/guarded_main.h"
#include "bench/redis/connection.h"
#include "bench/redis/work.h"
#include "vicinal/index.h"

namespace vicinal::bench {

namespace {

constexpr std::string_view kKey = "bench";
constexpr std::size_t kWindow = 100;  // commands sent before their replies are read

template <typename Answer>
void require(const Answer& answer) {
  if (!answer) throw std::runtime_error(answer.status().to_string());
}

std::string_view bytes_of(const std::vector<float>& vector) {
  return {reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)};
}

std::vector<std::vector<float>> queries(const Workload& work) {
  std::vector<std::vector<float>> all;
  for (std::size_t i = 0; i < kQueries; ++i) all.push_back(query_of(i, work.dimension));
  return all;
}

Index empty_index(const Workload& work) {
  auto index = Index::in_memory({.dimension = static_cast<std::uint32_t>(work.dimension),
                                 .M = work.M,
                                 .ef_construction = work.ef_construction});
  require(index);
  return *std::move(index);
}

std::vector<std::uint64_t> labels_of(const SearchResult& result) {
  std::vector<std::uint64_t> labels;
  for (const Hit& hit : result) labels.push_back(hit.label);
  return labels;
}

// Vectors are made outside of what is timed, a block at a time.
double insert_singly(const Workload& work, Index& index) {
  constexpr std::size_t kBlock = 1000;
  double took = 0;
  for (std::size_t first = 0; first < work.size; first += kBlock) {
    std::vector<std::vector<float>> block;
    for (std::size_t i = first; i < std::min(work.size, first + kBlock); ++i) {
      block.push_back(vector_of(i, work.dimension));
    }
    const double start = now();
    for (std::size_t i = 0; i < block.size(); ++i) require(index.upsert(first + i, block[i]));
    took += now() - start;
  }
  return static_cast<double>(work.size) / took;
}

double insert_batch(const Workload& work) {
  std::vector<Label> labels(work.size);
  std::iota(labels.begin(), labels.end(), Label{0});
  std::vector<float> rows;
  rows.reserve(work.size * work.dimension);
  for (const Label label : labels) {
    const std::vector<float> vector = vector_of(label, work.dimension);
    rows.insert(rows.end(), vector.begin(), vector.end());
  }
  Index index = empty_index(work);
  const double start = now();
  require(index.upsert_batch(labels, rows));
  return static_cast<double>(work.size) / (now() - start);
}

void library(const Workload& work) {
  const double batch = insert_batch(work);
  Index index = empty_index(work);
  const double singly = insert_singly(work, index);
  const auto asked = queries(work);
  const auto ask = [&](std::size_t query, bool exact) {
    auto result =
        index.search(asked[query], {.k = work.hits, .ef_search = work.ef_search, .exact = exact});
    require(result);
    return labels_of(*result);
  };
  std::vector<std::vector<std::uint64_t>> truth, found;
  for (std::size_t i = 0; i < kJudged; ++i) {
    truth.push_back(ask(i, true));
    found.push_back(ask(i, false));
  }
  const LoopFigures figures =
      closed_loops(work, [&](std::size_t, std::size_t query) { ask(query, false); });
  fmt::print(
      "{{\"inserts\":{:.0f},\"batch_inserts\":{:.0f},\"qps\":{:.0f},\"p50_ms\":{:.3f},"
      "\"p99_ms\":{:.3f},\"recall\":{:.4f},\"bytes\":{:.0f}}}\n",
      singly, batch, figures.per_second, figures.p50_ms, figures.p99_ms, recall(truth, found),
      static_cast<double>(index.stats().bytes_in_memory()) / static_cast<double>(work.size));
}

void fill(const Workload& work, std::uint16_t port, std::size_t writers) {
  const std::string m = std::to_string(work.M), ef = std::to_string(work.ef_construction);
  const auto write = [&](std::size_t writer) {
    Connection connection(port);
    std::vector<std::vector<float>> window;
    for (std::size_t i = writer; i < work.size; i += writers) {
      const std::vector<float> vector = vector_of(i, work.dimension);
      const std::string name = std::to_string(i);
      connection.add({"VADD", kKey, "FP32", bytes_of(vector), name, "M", m, "EF", ef});
      window.push_back(vector);
      if (window.size() < kWindow && i + writers < work.size) continue;
      connection.send();
      for (std::size_t reply = 0; reply < window.size(); ++reply) connection.receive();
      window.clear();
    }
  };
  const double start = now();
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < writers; ++i) {
    others.push_back(std::async(std::launch::async, write, i));
  }
  write(0);
  for (std::future<void>& other : others) other.get();
  fmt::print("{{\"inserts\":{:.0f}}}\n", static_cast<double>(work.size) / (now() - start));
}

void search(const Workload& work, std::uint16_t port) {
  const auto asked = queries(work);
  const std::string hits = std::to_string(work.hits), ef = std::to_string(work.ef_search);
  const auto ask = [&](Connection& connection, std::size_t query, bool exact) {
    std::vector<std::string_view> words = {"VSIM",  kKey, "FP32", bytes_of(asked[query]),
                                           "COUNT", hits, "EF",   ef};
    if (exact) words.push_back("TRUTH");
    connection.add(words);
    connection.send();
    std::vector<std::uint64_t> labels;
    for (const std::string& name : connection.receive()) labels.push_back(std::stoull(name));
    return labels;
  };
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::size_t i = 0; i < work.clients; ++i) {
    connections.push_back(std::make_unique<Connection>(port));
  }
  std::vector<std::vector<std::uint64_t>> truth, found;
  for (std::size_t i = 0; i < kJudged; ++i) {
    truth.push_back(ask(*connections[0], i, true));
    found.push_back(ask(*connections[0], i, false));
  }
  const LoopFigures figures = closed_loops(work, [&](std::size_t client, std::size_t query) {
    ask(*connections[client], query, false);
  });
  fmt::print("{{\"qps\":{:.0f},\"p50_ms\":{:.3f},\"p99_ms\":{:.3f},\"recall\":{:.4f}}}\n",
             figures.per_second, figures.p50_ms, figures.p99_ms, recall(truth, found));
}

void write(const Workload& work, std::uint16_t port, std::uint64_t first) {
  Connection connection(port);
  double longest = 0;
  std::uint64_t count = 0;
  const double start = now();
  for (double begin = start; begin < start + work.seconds; ++count) {
    const std::uint64_t written = first + count;
    const std::vector<float> vector = vector_of(work.size + written, work.dimension);
    const std::string name = std::to_string(written * 7919 % work.size);
    connection.add({"VADD", kKey, "FP32", bytes_of(vector), name});
    begin = now();
    connection.send();
    connection.receive();
    longest = std::max(longest, now() - begin);
  }
  fmt::print("{{\"writes\":{:.0f},\"count\":{},\"longest_ms\":{:.3f}}}\n",
             static_cast<double>(count) / (now() - start), count, longest * 1e3);
}

int run(int argc, char** argv) {
  CLI::App app("The library alone, and a Redis server with the module.", "vicinal-bench-redis");
  Workload work;
  std::uint16_t port = 0;
  std::size_t writers = 2;
  std::uint64_t first = 0;
  app.add_option("--size", work.size)->check(CLI::PositiveNumber);
  app.add_option("--dimension", work.dimension)->check(CLI::Range(1, 65536));
  app.add_option("--clients", work.clients)->check(CLI::PositiveNumber);
  app.add_option("--seconds", work.seconds)->check(CLI::PositiveNumber);
  app.add_option("--ef", work.ef_search)->check(CLI::Range(1, 100000));
  app.add_option("--m", work.M)->check(CLI::Range(4, 64));
  app.add_option("--ef-construction", work.ef_construction)->check(CLI::Range(1, 10000));
  app.add_option("--port", port);
  app.add_option("--writers", writers)->check(CLI::PositiveNumber);
  app.add_option("--first", first);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_subcommand("library")->callback([&] { library(work); });
  app.add_subcommand("fill")->callback([&] { fill(work, port, writers); });
  app.add_subcommand("search")->callback([&] { search(work, port); });
  app.add_subcommand("write")->callback([&] { write(work, port, first); });
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace

}  // namespace vicinal::bench

int main(int argc, char** argv) {
  return vicinal::bench::guarded_main("vicinal-bench-redis", vicinal::bench::run, argc, argv);
}
