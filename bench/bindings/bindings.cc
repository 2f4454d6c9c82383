// What the calls of a program cost in C++ and in C: the figures beside which every other language's
// stand (bench/bindings/run).
//
// usage: vicinal-bench-bindings ROWS DIMENSION
//
// Every binding's program does the same work on the same vectors and prints a line per measurement:
// {"binding":"c++","operation":"search","ns":12345.6}, nanoseconds per vector. What is called singly
// is measured in blocks of 20 (the first: of 1,000), whose fastest is told. Three passes of
//   search_smallest  one query, an index of one vector of 4 dimensions: the call itself
//   search           one query, k = 10, an index of ROWS vectors; 1,000 of them
//   search_batch     1,000 queries in one call, one thread
//   upsert           1,000 new labels, one a call
//   upsert_batch     1,000 new labels in one call, one thread
// all in memory, cosine, by one thread. Component i of label's vector is made by splitmix64 of
// label * DIMENSION + i, so every language has the same.
#include <fmt/core.h>
#include <vicinal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/common/guarded_main.h"
#include "vicinal/index.h"

namespace {

using vicinal::Index;
using vicinal::Label;

constexpr std::size_t kMany = 1000;
constexpr std::size_t kSmallestCalls = 100'000;
constexpr std::size_t kBlock = 20;
constexpr int kPasses = 3;
constexpr std::size_t kHits = 10;
constexpr Label kFirstQuery = 1'000'000'000;

float component(std::uint64_t i) {
  i += 0x9e3779b97f4a7c15u;
  i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
  i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
  i ^= i >> 31;
  return static_cast<float>(i >> 40) / (1 << 23) - 1;
}

std::vector<float> vectors(Label first, std::size_t count, std::size_t dimension) {
  std::vector<float> rows(count * dimension);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = component(first * dimension + i);
  return rows;
}

std::vector<Label> labels(Label first, std::size_t count) {
  std::vector<Label> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

template <typename Answer>
void require(const Answer& answer) {
  if (!answer) throw std::runtime_error(answer.status().to_string());
}
void require(vicinal_status status) {
  if (status != VICINAL_OK) throw std::runtime_error(vicinal_last_message());
}

// Calls work(first, last) for `count` in blocks of `block` and prints what the fastest took for each.
template <typename Work>
void measure(const char* binding, const char* operation, std::size_t count, std::size_t block,
             const Work& work) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t first = 0; first < count; first += block) {
    const auto start = std::chrono::steady_clock::now();
    work(first, first + block);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    least = std::min(least, took.count() / static_cast<double>(block));
  }
  fmt::print("{{\"binding\":\"{}\",\"operation\":\"{}\",\"ns\":{:.1f}}}\n", binding, operation,
             least);
}

// The five operations of a binding; `Calls` has its index.
template <typename Calls>
void run(std::size_t rows, std::size_t dimension) {
  const std::vector<float> queries = vectors(kFirstQuery, kMany, dimension);
  const std::vector<float> small = vectors(0, 1, 4);
  Calls smallest(4);
  smallest.upsert_batch(labels(0, 1), small);
  Calls calls(dimension);
  calls.upsert_batch(labels(0, rows), vectors(0, rows, dimension));
  Label next = rows;
  for (int pass = 0; pass < kPasses; ++pass) {
    measure(Calls::kName, "search_smallest", kSmallestCalls, kMany,
            [&](std::size_t i, std::size_t n) {
              for (; i < n; ++i) smallest.search(small.data());
            });
    measure(Calls::kName, "search", kMany, kBlock, [&](std::size_t i, std::size_t n) {
      for (; i < n; ++i) calls.search(&queries[i * dimension]);
    });
    measure(Calls::kName, "search_batch", kMany, kMany,
            [&](std::size_t, std::size_t) { calls.search_batch(queries); });
    const std::vector<float> single = vectors(next, kMany, dimension);
    measure(Calls::kName, "upsert", kMany, kBlock, [&](std::size_t i, std::size_t n) {
      for (; i < n; ++i) calls.upsert(next + i, &single[i * dimension]);
    });
    next += kMany;
    const std::vector<float> batch = vectors(next, kMany, dimension);
    const std::vector<Label> numbers = labels(next, kMany);
    measure(Calls::kName, "upsert_batch", kMany, kMany,
            [&](std::size_t, std::size_t) { calls.upsert_batch(numbers, batch); });
    next += kMany;
  }
}

class Cpp {
 public:
  static constexpr const char* kName = "c++";
  explicit Cpp(std::size_t dimension)
      : dimension_(dimension), index_(made(static_cast<std::uint32_t>(dimension))) {}
  void search(const float* query) const {
    require(index_.search({query, dimension_}, {.k = kHits}));
  }
  void search_batch(const std::vector<float>& queries) const {
    require(index_.search_batch(queries, {.k = kHits}, 1));
  }
  void upsert(Label label, const float* vector) {
    require(index_.upsert(label, {vector, dimension_}));
  }
  void upsert_batch(const std::vector<Label>& numbers, const std::vector<float>& rows) {
    require(index_.upsert_batch(numbers, rows, {.threads = 1}));
  }

 private:
  static Index made(std::uint32_t dimension) {
    auto index = Index::in_memory({.dimension = dimension});
    require(index);
    return *std::move(index);
  }
  std::size_t dimension_;
  Index index_;
};

class C {
 public:
  static constexpr const char* kName = "c";
  explicit C(std::size_t dimension) : dimension_(dimension) {
    vicinal_index_options options;
    require(vicinal_index_options_init(&options, sizeof options));
    options.dimension = static_cast<std::uint32_t>(dimension);
    require(vicinal_index_create(&options, &index_));
    require(vicinal_batch_options_init(&batch_, sizeof batch_));
    batch_.threads = 1;
  }
  ~C() { vicinal_index_free(index_); }
  C(const C&) = delete;
  C& operator=(const C&) = delete;
  void search(const float* query) const {
    std::uint64_t found_labels[kHits];
    float distances[kHits];
    std::size_t found = 0;
    require(vicinal_index_search(index_, query, dimension_, kHits, nullptr, found_labels, distances,
                                 &found, nullptr));
  }
  void search_batch(const std::vector<float>& queries) const {
    const std::size_t rows = queries.size() / dimension_;
    std::vector<std::uint64_t> found_labels(rows * kHits);
    std::vector<float> distances(rows * kHits);
    require(vicinal_index_search_batch(index_, queries.data(), rows, dimension_, kHits, nullptr, 1,
                                       found_labels.data(), distances.data(), nullptr, nullptr));
  }
  void upsert(Label label, const float* vector) {
    require(vicinal_index_upsert(index_, label, vector, dimension_, nullptr));
  }
  void upsert_batch(const std::vector<Label>& numbers, const std::vector<float>& rows) {
    require(vicinal_index_upsert_batch(index_, numbers.data(), rows.data(), numbers.size(),
                                       dimension_, &batch_, nullptr));
  }

 private:
  std::size_t dimension_;
  vicinal_index* index_ = nullptr;
  vicinal_batch_options batch_;
};

int run_all(int argc, char** argv) {
  if (argc != 3) throw std::runtime_error("usage: vicinal-bench-bindings ROWS DIMENSION");
  const std::size_t rows = std::stoul(argv[1]), dimension = std::stoul(argv[2]);
  run<Cpp>(rows, dimension);
  run<C>(rows, dimension);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return vicinal::bench::guarded_main("vicinal-bench-bindings", run_all, argc, argv);
}
