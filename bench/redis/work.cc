#include "bench/redis/work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace vicinal::bench {

namespace {

constexpr std::uint64_t kCenters = 1000;
constexpr std::uint64_t kFirstCenter = std::uint64_t{1} << 40;
constexpr std::uint64_t kFirstQuery = std::uint64_t{1} << 41;
constexpr float kNoise = 0.7F;

// splitmix64
std::uint64_t mixed(std::uint64_t i) {
  i += 0x9e3779b97f4a7c15u;
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
  i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
  return i ^ (i >> 31);
}

float component(std::uint64_t i) { return static_cast<float>(mixed(i) >> 40) / (1 << 23) - 1; }

}  // namespace

std::vector<float> vector_of(std::uint64_t number, std::size_t dimension) {
  const std::uint64_t center = kFirstCenter + mixed(number) % kCenters;
  std::vector<float> vector(dimension);
  for (std::size_t i = 0; i < dimension; ++i) {
    vector[i] = component(center * dimension + i) + kNoise * component(number * dimension + i);
  }
  return vector;
}

std::vector<float> query_of(std::size_t number, std::size_t dimension) {
  return vector_of(kFirstQuery + number, dimension);
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

LoopFigures closed_loops(const Workload& work,
                         const std::function<void(std::size_t, std::size_t)>& ask) {
  std::vector<std::vector<double>> times(work.clients);
  std::mutex mutex;
  std::exception_ptr failure;
  const double start = now();
  std::vector<std::thread> threads;
  for (std::size_t client = 0; client < work.clients; ++client) {
    threads.emplace_back([&, client] {
      try {
        std::size_t query = client * kQueries / work.clients;
        for (double begin = now(); begin < start + work.seconds;) {
          ask(client, query);
          query = (query + 1) % kQueries;
          const double end = now();
          times[client].push_back(end - begin);
          begin = end;
        }
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = now() - start;
  if (failure) std::rethrow_exception(failure);
  std::vector<double> all;
  for (const auto& one : times) all.insert(all.end(), one.begin(), one.end());
  std::sort(all.begin(), all.end());
  if (all.empty()) return {};
  return {static_cast<double>(all.size()) / took, all[all.size() / 2] * 1e3,
          all[all.size() * 99 / 100] * 1e3};
}

double recall(const std::vector<std::vector<std::uint64_t>>& truth,
              const std::vector<std::vector<std::uint64_t>>& found) {
  std::size_t wanted = 0, hits = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    wanted += truth[i].size();
    for (const std::uint64_t label : truth[i]) {
      hits += static_cast<std::size_t>(std::count(found[i].begin(), found[i].end(), label));
    }
  }
  return wanted == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(wanted);
}

}  // namespace vicinal::bench
