#include "bench/vicinal_bench/exact.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <span>
#include <thread>

namespace vicinal::bench {
namespace {

// Candidates beyond k: neighbors k to k + 50 are far enough apart in ordinary data for the error
// bound to decide without a second scan.
constexpr std::size_t kMargin = 50;

// Four queries against eight rows keep eight accumulators and their operands in the sixteen
// registers of the x86-64 baseline.
constexpr std::size_t kLanes = 8;
constexpr std::size_t kQueries = 4;
using Four [[gnu::vector_size(16)]] = float;

struct Candidate {
  double score = 0;  ///< smaller is nearer: -cos, -<a, b>, or |b|^2 - 2 <a, b>
  std::int32_t row = 0;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.score != b.score ? a.score < b.score : a.row < b.row;
  }
};

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// What is known of every base row before any query.
struct Prepared {
  const matrix::Matrix& base;
  Metric metric;
  std::vector<double> norms;
  double largest_norm = 0;  ///< of the rows as scored: 1 under cosine

  Prepared(const matrix::Matrix& matrix, Metric by) : base(matrix), metric(by) {
    norms.resize(base.rows);
    for (std::uint64_t r = 0; r < base.rows; ++r) {
      norms[r] = std::sqrt(dot(base.row(r), base.row(r)));
      largest_norm = std::max(largest_norm, norms[r]);
    }
    if (metric == Metric::kCosine) largest_norm = 1;
  }

  double exact_score(std::span<const float> query, double query_norm, std::uint64_t row) const {
    const double product = dot(query, base.row(row));
    switch (metric) {
      case Metric::kCosine: {
        const double norms_product = query_norm * norms[row];
        return norms_product > 0 ? -product / norms_product : 0;
      }
      case Metric::kInnerProduct:
        return -product;
      case Metric::kSquaredL2:
        return norms[row] * norms[row] - 2 * product;
    }
    return 0;
  }
};

/// Transposes rows [first, first + kLanes) to `panel`, component by component; rows beyond the end
/// are zero. Under cosine the rows are normalized on the way.
void fill_panel(const Prepared& p, std::uint64_t first, std::vector<float>& panel) {
  const std::size_t dimension = p.base.dimension;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const std::uint64_t row = first + lane;
    if (row >= p.base.rows) {
      for (std::size_t d = 0; d < dimension; ++d) panel[d * kLanes + lane] = 0;
      continue;
    }
    const bool scaled = p.metric == Metric::kCosine && p.norms[row] > 0;
    const double factor = scaled ? 1.0 / p.norms[row] : 1.0;
    const std::span<const float> from = p.base.row(row);
    for (std::size_t d = 0; d < dimension; ++d) {
      panel[d * kLanes + lane] = static_cast<float>(from[d] * factor);
    }
  }
}

/// products[q][lane] = <query q, row lane> for kQueries queries that lie one after the other.
void multiply(const float* queries, const float* panel, std::size_t dimension,
              float products[kQueries][kLanes]) {
  Four sums[kQueries][2] = {};
  for (std::size_t d = 0; d < dimension; ++d) {
    Four low;
    Four high;
    std::memcpy(&low, panel + d * kLanes, sizeof low);
    std::memcpy(&high, panel + d * kLanes + 4, sizeof high);
#pragma GCC unroll 4
    for (std::size_t q = 0; q < kQueries; ++q) {
      const float component = queries[q * dimension + d];
      const Four wide = {component, component, component, component};
      sums[q][0] += wide * low;
      sums[q][1] += wide * high;
    }
  }
  std::memcpy(products, sums, sizeof sums);
}

/// The best of one query, by float32 score; a heap with the worst on top.
struct Pool {
  std::vector<Candidate> heap;

  void offer(double score, std::int32_t row, std::size_t capacity) {
    if (heap.size() == capacity) {
      if (score >= heap.front().score) return;
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
    }
    heap.push_back({score, row});
    std::push_heap(heap.begin(), heap.end());
  }
};

/// What all threads have done, and whether they are to go on.
class Work {
 public:
  explicit Work(const std::function<bool(std::uint64_t)>& progress) : progress_(progress) {}

  /// `pairs` more are done. False once the work is to end.
  bool done(std::uint64_t pairs) {
    const std::uint64_t all = pairs_ += pairs;
    if (progress_ && !stopped_ && !progress_(all)) stopped_ = true;
    return !stopped_;
  }

 private:
  const std::function<bool(std::uint64_t)>& progress_;
  std::atomic<std::uint64_t> pairs_{0};
  std::atomic<bool> stopped_{false};
};

/// The queries [first, first + count) of one thread.
class Worker {
 public:
  Worker(const Prepared& prepared, const matrix::Matrix& query, std::size_t first,
         std::size_t count, std::size_t k, Work& work)
      : p_(prepared), query_(query), first_(first), count_(count), k_(k), work_(work) {
    const std::size_t dimension = query.dimension;
    const std::size_t padded = (count + kQueries - 1) / kQueries * kQueries;
    scaled_.assign(padded * dimension, 0.0f);
    norms_.resize(count);
    pools_.resize(count);
    for (std::size_t q = 0; q < count; ++q) {
      const std::span<const float> from = query.row(first + q);
      norms_[q] = std::sqrt(dot(from, from));
      const bool normalized = p_.metric == Metric::kCosine && norms_[q] > 0;
      for (std::size_t d = 0; d < dimension; ++d) {
        scaled_[q * dimension + d] =
            static_cast<float>(normalized ? from[d] / norms_[q] : double{from[d]});
      }
    }
  }

  /// False when it was stopped.
  bool scan() {
    constexpr std::uint64_t kTold = 512 * kLanes;
    std::vector<float> panel(kLanes * p_.base.dimension);
    for (std::uint64_t row = 0; row < p_.base.rows; row += kLanes) {
      fill_panel(p_, row, panel);
      for (std::size_t q = 0; q < count_; q += kQueries) score_block(q, row, panel.data());
      if (row % kTold == 0 && !work_.done((row == 0 ? 0 : kTold) * count_)) return false;
    }
    return true;
  }

  /// Writes `columns` rows a query to `out`. Returns how many queries had to be scanned again.
  std::uint64_t finish(std::size_t columns, std::int32_t* out) {
    std::uint64_t rescanned = 0;
    for (std::size_t q = 0; q < count_ && work_.done(0); ++q) {
      if (!settle(q, columns)) {
        rescan(q);
        ++rescanned;
      }
      for (std::size_t i = 0; i < columns; ++i) out[q * columns + i] = pools_[q].heap[i].row;
    }
    return rescanned;
  }

 private:
  void score_block(std::size_t q, std::uint64_t first_row, const float* panel) {
    float products[kQueries][kLanes];
    multiply(scaled_.data() + q * p_.base.dimension, panel, p_.base.dimension, products);
    const std::size_t lanes =
        static_cast<std::size_t>(std::min<std::uint64_t>(kLanes, p_.base.rows - first_row));
    for (std::size_t i = 0; i < std::min(kQueries, count_ - q); ++i) {
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::uint64_t row = first_row + lane;
        const double product = products[i][lane];
        const double score = p_.metric == Metric::kSquaredL2
                                 ? p_.norms[row] * p_.norms[row] - 2 * product
                                 : -product;
        pools_[q + i].offer(score, static_cast<std::int32_t>(row), k_ + kMargin);
      }
    }
  }

  /// The most by which a float32 score can be off: every product and sum rounds once, operands that
  /// were normalized once more.
  double error_bound(std::size_t q) const {
    const double norm = p_.metric == Metric::kCosine ? 1.0 : norms_[q];
    const double roundings = static_cast<double>(p_.base.dimension) + 8;
    const double factor = p_.metric == Metric::kSquaredL2 ? 2.0 : 1.0;
    return factor * roundings * 0x1p-23 * norm * p_.largest_norm;
  }

  /// Scores the candidates of query `q` in double and sorts them. False when a row outside the pool
  /// may belong to the first `columns`, or a score is not finite.
  bool settle(std::size_t q, std::size_t columns) {
    std::vector<Candidate>& heap = pools_[q].heap;
    const bool all = heap.size() == p_.base.rows;
    if (heap.size() < columns) return false;
    const double cut = heap.front().score;
    for (Candidate& candidate : heap) {
      candidate.score = exact(q, static_cast<std::uint64_t>(candidate.row));
    }
    std::sort(heap.begin(), heap.end());
    if (all || columns == 0) return true;
    const double last = heap[columns - 1].score;
    return last < cut - error_bound(q);
  }

  void rescan(std::size_t q) {
    Pool pool;
    for (std::uint64_t row = 0; row < p_.base.rows; ++row) {
      pool.offer(exact(q, row), static_cast<std::int32_t>(row), std::max<std::size_t>(1, k_));
    }
    std::sort(pool.heap.begin(), pool.heap.end());
    pools_[q] = std::move(pool);
  }

  double exact(std::size_t q, std::uint64_t row) const {
    return p_.exact_score(query_.row(first_ + q), norms_[q], row);
  }

  const Prepared& p_;
  const matrix::Matrix& query_;
  std::size_t first_;
  std::size_t count_;
  std::size_t k_;
  Work& work_;
  std::vector<float> scaled_;  ///< the queries as scored
  std::vector<double> norms_;
  std::vector<Pool> pools_;
};

}  // namespace

ExactResult exact_neighbors(const matrix::Matrix& base, const matrix::Matrix& query, Metric metric,
                            std::size_t k, unsigned threads,
                            const std::function<bool(std::uint64_t)>& progress) {
  ExactResult result;
  result.columns = static_cast<std::size_t>(std::min<std::uint64_t>(k, base.rows));
  result.rows.resize(query.rows * result.columns);
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  const Prepared prepared(base, metric);
  const std::size_t queries = static_cast<std::size_t>(query.rows);
  const std::size_t part = std::max<std::size_t>(1, (queries + threads - 1) / threads);
  Work work(progress);
  std::atomic<std::uint64_t> rescanned{0};
  std::vector<std::thread> workers;
  for (std::size_t first = 0; first < queries; first += part) {
    const std::size_t count = std::min(part, queries - first);
    workers.emplace_back([&, first, count] {
      Worker worker(prepared, query, first, count, k, work);
      if (!worker.scan()) return;
      rescanned += worker.finish(result.columns, result.rows.data() + first * result.columns);
    });
  }
  for (std::thread& worker : workers) worker.join();
  result.rescanned = rescanned;
  return result;
}

}  // namespace vicinal::bench
