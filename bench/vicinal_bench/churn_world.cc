#include "bench/vicinal_bench/churn_world.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bench/vicinal_bench/crew.h"

namespace vicinal::bench {
namespace {

constexpr int kChurnPasses = 3;

}  // namespace

ChurnWorld::ChurnWorld(const matrix::Matrix& base, std::uint64_t rows, const matrix::Matrix& query,
                       const ChurnShape& shape)
    : base_(base),
      query_(query),
      shape_(shape),
      replaced_(static_cast<std::uint64_t>(
          std::llround(shape.fraction * static_cast<double>(shape.live)))),
      random_(shape.seed) {
  std::vector<std::uint32_t> order(rows);
  for (std::uint64_t r = 0; r < rows; ++r) order[r] = static_cast<std::uint32_t>(r);
  std::shuffle(order.begin(), order.end(), random_);
  for (std::uint64_t i = 0; i < shape.live; ++i) live_.push_back({next_label_++, order[i]});
  away_.assign(order.begin() + static_cast<std::ptrdiff_t>(shape.live), order.end());
}

SearchOptions ChurnWorld::options() const {
  SearchOptions options;
  options.k = shape_.k;
  options.ef_search = shape_.ef;
  return options;
}

Status ChurnWorld::fill(Index& index, const ProgressCallback& progress) const {
  std::vector<Label> labels;
  std::vector<float> vectors;
  vectors.reserve(live_.size() * base_.dimension);
  for (const Entry& entry : live_) {
    labels.push_back(entry.label);
    const std::span<const float> row = base_.row(entry.row);
    vectors.insert(vectors.end(), row.begin(), row.end());
  }
  BatchOptions batch;
  batch.progress = progress;
  return index.upsert_batch(labels, vectors, batch).status();
}

std::vector<ChurnWorld::Replacement> ChurnWorld::plan_round() {
  std::vector<Replacement> plan;
  plan.reserve(replaced_);
  for (std::uint64_t i = 0; i < replaced_; ++i) {
    // A partial shuffle: what was picked stands at the front.
    std::uniform_int_distribution<std::size_t> pick(i, live_.size() - 1);
    std::swap(live_[i], live_[pick(random_)]);
    plan.push_back({live_[i].label, {next_label_++, away_.front()}});
    away_.pop_front();
    away_.push_back(live_[i].row);
    live_[i] = plan.back().inserted;
  }
  return plan;
}

Status ChurnWorld::write_part(Index& index, const std::vector<Replacement>& plan, unsigned writer,
                              double& longest) const {
  for (std::size_t i = writer; i < plan.size(); i += shape_.writers) {
    const Clock::time_point start = Clock::now();
    Result<EraseOutcome> erased = index.erase(plan[i].erased);
    const Clock::time_point between = Clock::now();
    if (!erased.ok()) return erased.status();
    Result<UpsertOutcome> inserted =
        index.upsert(plan[i].inserted.label, base_.row(plan[i].inserted.row));
    const Clock::time_point end = Clock::now();
    if (!inserted.ok()) return inserted.status();
    if (Status s = check_interrupted(); !s.ok()) return s;
    const auto slower = std::max(between - start, end - between);
    longest = std::max(longest, std::chrono::duration<double>(slower).count());
  }
  return {};
}

Status ChurnWorld::search_until(const Index& index, const std::atomic<bool>& stop,
                                unsigned searcher, double& longest) const {
  std::vector<Hit> hits(shape_.k);
  for (std::uint64_t q = searcher; !stop.load(std::memory_order_relaxed); ++q) {
    const Clock::time_point start = Clock::now();
    Result<std::size_t> got =
        index.search_into(query_.row(q % query_.rows), options(), hits, nullptr);
    longest = std::max(longest, seconds_since(start));
    if (!got.ok()) return got.status();
  }
  return {};
}

Result<PhaseTimes> ChurnWorld::churn(Index& index) {
  const std::vector<Replacement> plan = plan_round();
  std::vector<double> write(shape_.writers, 0.0);
  std::vector<double> search(shape_.searchers, 0.0);
  std::atomic<bool> stop{false};
  Crew writers;
  Crew searchers;
  const Clock::time_point start = Clock::now();
  for (unsigned s = 0; s < shape_.searchers; ++s) {
    searchers.start([&, s] { return search_until(index, stop, s, search[s]); });
  }
  for (unsigned w = 0; w < shape_.writers; ++w) {
    writers.start([&, w] { return write_part(index, plan, w, write[w]); });
  }
  const Status wrote = writers.join();
  PhaseTimes times;
  times.seconds = seconds_since(start);
  stop = true;
  const Status searched = searchers.join();
  if (!wrote.ok()) return wrote;
  if (!searched.ok()) return searched;
  for (const double seconds : write) times.longest_write = std::max(times.longest_write, seconds);
  for (const double seconds : search) {
    times.longest_search = std::max(times.longest_search, seconds);
  }
  return times;
}

Result<PhaseTimes> ChurnWorld::repair(Index& index) {
  PhaseTimes times;
  std::atomic<bool> stop{false};
  Crew searchers;
  searchers.start([&] { return search_until(index, stop, 0, times.longest_search); });
  Status repaired;
  const Clock::time_point start = Clock::now();
  for (bool finished = false; !finished && repaired.ok();) {
    RepairOptions options;
    options.slice = shape_.repair_slice;
    options.progress = until_interrupted();
    const Clock::time_point slice = Clock::now();
    Result<RepairResult> result = index.repair(options);
    times.longest_slice = std::max(times.longest_slice, seconds_since(slice));
    repaired = result.ok() ? check_interrupted() : result.status();
    finished = result.ok() && result->finished;
  }
  times.seconds = seconds_since(start);
  stop = true;
  const Status searched = searchers.join();
  if (!repaired.ok()) return repaired;
  if (!searched.ok()) return searched;
  return times;
}

Result<Quality> ChurnWorld::quality(const Index& index, unsigned threads) const {
  SearchOptions exact = options();
  exact.exact = true;
  Result<std::vector<SearchResult>> truth = index.search_batch(query_.values, exact, threads);
  if (!truth.ok()) return truth.status();
  Quality quality;
  std::vector<Hit> hits(shape_.k);
  // The first pass warms up and gives the recall; it is the same in all.
  for (int pass = 0; pass <= kChurnPasses; ++pass) {
    double found = 0;
    double wanted = 0;
    const Clock::time_point start = Clock::now();
    for (std::uint64_t q = 0; q < query_.rows; ++q) {
      if (Status s = check_interrupted(); !s.ok()) return s;
      Result<std::size_t> got = index.search_into(query_.row(q), options(), hits, nullptr);
      if (!got.ok()) return got.status();
      if (pass > 0) continue;
      for (const Hit& near : (*truth)[q]) {
        const auto end = hits.begin() + static_cast<std::ptrdiff_t>(*got);
        found += std::any_of(hits.begin(), end,
                             [&near](const Hit& hit) { return hit.label == near.label; })
                     ? 1
                     : 0;
        wanted += 1;
      }
    }
    const double qps = static_cast<double>(query_.rows) / seconds_since(start);
    if (pass == 0) quality.recall = wanted > 0 ? found / wanted : 1;
    if (pass > 0) quality.qps = std::max(quality.qps, qps);
  }
  return quality;
}

}  // namespace vicinal::bench
