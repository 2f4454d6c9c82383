#include "engine/recall_table.h"

#include <algorithm>
#include <cmath>

namespace vicinal::engine {
namespace {

// Beyond so many queries the older half weighs half: what is asked changes.
constexpr double kMostQueries = 4096;
// Two means differ where the square of their difference is so many times what chance makes of it.
constexpr double kSurely = 6;
// The fewest samples of a kind that say anything.
constexpr double kFewest = 64;
// Kept of the queries when the index has changed.
constexpr double kKeptQueries = 128;

// Recall as it goes along a line: falls with recall, finite at 1.
double missing(double recall) { return std::log(1.0 - std::min(recall, 1.0) + 1e-5); }

}  // namespace

std::size_t recall_step(std::size_t value) {
  const auto at = std::lower_bound(kRecallSteps.begin(), kRecallSteps.end(), value);
  return std::min<std::size_t>(static_cast<std::size_t>(at - kRecallSteps.begin()),
                               kRecallSteps.size() - 1);
}

void RecallTable::Sums::add(double share) {
  found += share;
  squares += share * share;
  samples += 1;
}

void RecallTable::Sums::weigh(double factor) {
  found *= factor;
  squares *= factor;
  samples *= factor;
}

double RecallTable::Sums::variance() const {
  return std::max(squares / samples - mean() * mean(), 1e-4);
}

// How much the own vectors' samples count beside those of the queries: all of them where both may
// well say the same; where they do not, no more than as many as vary as much as the two differ.
double RecallTable::Cell::own_weight() const {
  if (asked.samples < kFewest) return own.samples;
  const double variance = std::max(own.variance(), asked.variance());
  const double by_chance = variance / own.samples + variance / asked.samples;
  const double difference = own.mean() - asked.mean();
  const double differs = difference * difference - kSurely * by_chance;
  return differs <= 0 ? own.samples : std::min(own.samples, variance / differs);
}

void RecallTable::Cell::publish() {
  if (own.samples < kFewest) return;  // what was published before is better
  const double weight = own_weight();
  const double of_queries = asked.samples < kFewest ? 0 : asked.samples;
  const double found = weight * own.mean() + (of_queries > 0 ? asked.found : 0);
  mean.store(static_cast<float>(found / (weight + of_queries)), std::memory_order_relaxed);
}

void RecallTable::add(const RecallSample& sample, Source source) {
  for (std::size_t width = 0; width < kRecallSteps.size(); ++width) {
    for (std::size_t depth = 0; depth < sample.depths && depth <= width; ++depth) {
      Cell& cell = cells_[width][depth];
      Sums& sums = source == Source::kOwnVectors ? cell.own : cell.asked;
      if (source == Source::kQueries && sums.samples >= kMostQueries) sums.weigh(0.5);
      sums.add(double{sample.found[width][depth]});
      cell.publish();
    }
  }
  (source == Source::kOwnVectors ? own_samples_ : asked_samples_)
      .fetch_add(1, std::memory_order_relaxed);
}

void RecallTable::renew() {
  double kept = 0;
  for (auto& row : cells_) {
    for (Cell& cell : row) {
      cell.own = {};
      if (cell.asked.samples > kKeptQueries) cell.asked.weigh(kKeptQueries / cell.asked.samples);
      kept = std::max(kept, cell.asked.samples);
      // What is published stays until there is something better.
    }
  }
  own_samples_.store(0, std::memory_order_relaxed);
  asked_samples_.store(static_cast<std::uint64_t>(kept), std::memory_order_relaxed);
}

std::uint64_t RecallTable::samples(Source source) const {
  return (source == Source::kOwnVectors ? own_samples_ : asked_samples_)
      .load(std::memory_order_relaxed);
}

double RecallTable::recall(std::size_t k, std::size_t width) const {
  const std::size_t above = std::min(recall_step(std::max<std::size_t>(k, 1)), kDeepest);
  if (above > width) return -1;
  const double at_above = mean(width, above);
  if (above == 0 || kRecallSteps[above] <= k || at_above < 0) return at_above;
  const double at_below = mean(width, above - 1);
  if (at_below < 0) return -1;
  const double low = std::log(kRecallSteps[above - 1]);
  const double high = std::log(kRecallSteps[above]);
  const double share = (std::log(static_cast<double>(k)) - low) / (high - low);
  return at_below + share * (at_above - at_below);
}

std::size_t deeper(std::size_t ef, std::size_t k) {
  constexpr std::size_t kSampled = kRecallSteps[kDeepest];
  if (k <= kSampled) return ef;
  constexpr double kMost = 0x1p53;  // what a size can be made of
  const double times = static_cast<double>(ef) / kSampled;
  return static_cast<std::size_t>(std::min(times * static_cast<double>(k), kMost));
}

std::size_t RecallTable::ef_for(std::size_t k, double recall) const {
  if (k > kRecallSteps[kDeepest]) {
    const std::size_t of_deepest = ef_for(kRecallSteps[kDeepest], recall);
    return of_deepest == 0 ? 0 : deeper(of_deepest, k);
  }
  const double wanted = missing(recall);
  double x[2] = {0, 0};  // the last two widths known, and what is missing there
  double y[2] = {0, 0};
  std::size_t known = 0;
  double best = -1;
  for (std::size_t width = recall_step(k); width < kRecallSteps.size(); ++width) {
    const double here = this->recall(k, width);
    if (here < 0) continue;
    best = std::max(best, here);  // a wider walk finds no less: what says so is noise
    x[0] = x[1];
    y[0] = y[1];
    x[1] = std::log(kRecallSteps[width]);
    y[1] = missing(best);
    ++known;
    if (known > 1 && best >= recall) break;
  }
  if (known == 0) return 0;
  double ef = std::exp(x[1]);
  if (known > 1) {
    const double slope = (y[1] - y[0]) / (x[1] - x[0]);
    // Along the last line known, before its beginning and beyond its end too; where it is flat
    // nothing wider helps.
    if (slope < -1e-6) ef = std::exp(x[1] + (wanted - y[1]) / slope);
  }
  constexpr double kWidest = 4.0 * kRecallSteps.back();
  return std::max(k, static_cast<std::size_t>(std::ceil(std::min(ef, kWidest))));
}

}  // namespace vicinal::engine
