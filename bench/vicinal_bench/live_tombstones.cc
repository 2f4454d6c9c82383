#include "bench/vicinal_bench/live_tombstones.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace vicinal::bench {
namespace {

constexpr std::size_t kNearest = 100;

// The ef that are tried, as parts of the one given; by the bounds the answer is below 2.
constexpr double kParts[] = {0.3, 0.4,  0.5, 0.6,  0.7, 0.8, 0.9, 1, 1.1,
                             1.2, 1.35, 1.5, 1.75, 2,   2.5, 3,   4};
constexpr int kPasses = 3;

struct Point {
  double ef = 0;
  double recall = 0;
  double control_recall = 0;
  double p50_x = 0;
};

/// Each query once a pass at `ef`, and in the control at `control_ef`.
Result<Point> measure(LiveWorld& world, const matrix::Matrix& query, const Ranking& truth,
                      std::size_t k, std::size_t ef, std::size_t control_ef) {
  SearchThread thread(query, k);
  Tally measured(query.rows, 1);
  Tally control(query.rows, 1);
  const auto pass = [&](LiveIndex& made, std::size_t at, Tally& tally) {
    Status status;
    for (std::uint64_t q = 0; q < query.rows && status.ok(); ++q) {
      status = thread.search(made.index(), made.count, at, q, tally);
    }
    return status;
  };
  for (int i = 0; i < kPasses; ++i) {
    if (Status s = pass(world.measured(), ef, measured); !s.ok()) return s;
    if (Status s = pass(world.control(), control_ef, control); !s.ok()) return s;
  }
  const History quiet(world.control().first, {});
  const Verdict verdict = judge(quiet, truth, measured.answers, k);
  const Verdict control_verdict = judge(quiet, truth, control.answers, k);
  return Point{static_cast<double>(ef), recall(verdict, control_verdict),
               recall(control_verdict, verdict),
               measured.cpu.percentile_us(0.5) / control.cpu.percentile_us(0.5)};
}

}  // namespace

std::vector<std::uint32_t> EraseOrder::first(std::uint64_t count) const {
  return {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::vector<std::uint64_t> EraseOrder::emptied(std::uint64_t count) const {
  std::vector<std::uint64_t> queries;
  for (const Near& one : near) {
    if (one.end <= count) queries.push_back(one.query);
  }
  return queries;
}

EraseOrder random_order(std::uint64_t rows, std::uint64_t seed) {
  EraseOrder order;
  order.rows.resize(rows);
  std::iota(order.rows.begin(), order.rows.end(), 0u);
  std::mt19937_64 random(seed);
  std::shuffle(order.rows.begin(), order.rows.end(), random);
  return order;
}

EraseOrder near_order(const matrix::Matrix& base, std::uint64_t rows, const matrix::Matrix& query,
                      Metric metric, std::uint64_t seed) {
  const EraseOrder all = random_order(rows, seed);
  const Ranking ranking = rank(base, all.rows, query, metric, kNearest);
  std::vector<std::uint64_t> queries(query.rows);
  std::iota(queries.begin(), queries.end(), std::uint64_t{0});
  std::mt19937_64 random(seed + 1);
  std::shuffle(queries.begin(), queries.end(), random);
  queries.resize((queries.size() + 1) / 2);
  EraseOrder order;
  std::vector<bool> taken(rows, false);
  const auto take = [&](std::uint32_t row) {
    if (!taken[row]) order.rows.push_back(row);
    taken[row] = true;
  };
  for (const std::uint64_t q : queries) {
    for (std::size_t i = 0; i < std::min(kNearest, ranking.columns); ++i) {
      take(ranking.rows[q * ranking.columns + i]);
    }
    order.near.push_back({q, order.rows.size()});
  }
  for (const std::uint32_t row : all.rows) take(row);
  return order;
}

Result<EqualRecall> equal_recall(LiveWorld& world, const matrix::Matrix& query,
                                 const Ranking& truth, std::size_t k, std::size_t ef) {
  Point below;
  for (const double part : kParts) {
    const auto tried = std::max<std::size_t>(
        k, static_cast<std::size_t>(std::llround(part * static_cast<double>(ef))));
    Result<Point> point = measure(world, query, truth, k, tried, ef);
    if (!point.ok()) return point.status();
    if (point->recall < point->control_recall) {
      below = *point;
      continue;
    }
    if (below.ef == 0) return EqualRecall{true, point->ef, point->p50_x};
    const double way = (point->control_recall - below.recall) / (point->recall - below.recall);
    return EqualRecall{true, below.ef + way * (point->ef - below.ef),
                       below.p50_x + way * (point->p50_x - below.p50_x)};
  }
  return EqualRecall{};
}

}  // namespace vicinal::bench
