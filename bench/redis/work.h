// What is measured, the same for the library and the server: vectors, queries, clients in closed loops.
//
// Threads: functions without state; closed_loops() starts threads of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace vicinal::bench {

struct Workload {
  std::size_t size = 20'000;  ///< vectors
  std::size_t dimension = 128;
  std::size_t clients = 4;  ///< searching at once, each one query after the other
  double seconds = 5;       ///< of searching
  std::size_t ef_search = 64;
  std::size_t hits = 10;
  std::uint32_t M = 16;
  std::uint32_t ef_construction = 200;
};

/// Queries are numbered 0 to kQueries - 1; the first kJudged of them are compared with the truth.
inline constexpr std::size_t kQueries = 1000;
inline constexpr std::size_t kJudged = 100;

/// Vector `number`: one of 1,000 centers and noise, the same on every machine.
std::vector<float> vector_of(std::uint64_t number, std::size_t dimension);
/// Query `number`: a vector that no element has.
std::vector<float> query_of(std::size_t number, std::size_t dimension);

struct LoopFigures {
  double per_second = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

/// Lets `clients` threads call ask(client, query) for `seconds`, each as fast as it is answered.
/// Rethrows the first exception that ask throws.
LoopFigures closed_loops(const Workload& work,
                         const std::function<void(std::size_t client, std::size_t query)>& ask);

/// The share of `truth` that stands in `found`, over all queries.
double recall(const std::vector<std::vector<std::uint64_t>>& truth,
              const std::vector<std::vector<std::uint64_t>>& found);

/// Seconds since some moment.
double now();

}  // namespace vicinal::bench
