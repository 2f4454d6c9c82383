#include "engine/recall_learner.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/signals.h"

namespace vicinal::engine {
namespace {

using Source = RecallTable::Source;

// Own vectors of a table: recall 0.95 of ten is known to 0.002 by so many.
constexpr std::uint64_t kOwnSamples = 2048;
// The fewest before anybody reads it, however long they take.
constexpr std::uint64_t kFewestSamples = 128;
// How long a search may wait for its table, beyond those.
constexpr std::chrono::milliseconds kFirstMeasure{1000};
// How many samples the threads take up together.
constexpr std::size_t kTogether = 64;
// Queries kept to be compared next.
constexpr std::size_t kPending = 8;
// Queries compared before the thread slows down.
constexpr std::uint64_t kManyQueries = 1024;
// The thread rests as many times as long as it worked: a tenth of a CPU at most.
constexpr int kShortRest = 9;
constexpr int kLongRest = 99;

// By how much of what was measured the index must have changed to be measured again.
constexpr double kChanged = 0.1;

// What the table is asked for: rather a little more than what the caller wants, since it is right
// only on average.
double aim(double recall) { return recall + std::min(0.003, (1 - recall) / 5); }

}  // namespace

RecallLearner::~RecallLearner() {
  if (process_.left()) {
    internal::leave_behind(thread_);
    return;
  }
  {
    const internal::MutexLock lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool RecallLearner::changed() const {
  const auto live = static_cast<double>(measured_live_.load(std::memory_order_relaxed));
  const auto dead = static_cast<double>(measured_tombstones_.load(std::memory_order_relaxed));
  const auto live_now = static_cast<double>(state_.graph->live());
  const auto dead_now = static_cast<double>(state_.graph->tombstones());
  const auto share = [](double some, double others) { return some / std::max(some + others, 1.0); };
  return std::abs(live_now - live) > kChanged * live ||
         std::abs(share(dead_now, live_now) - share(dead, live)) > kChanged;
}

std::size_t RecallLearner::ef_for(std::size_t k, double recall, bool may_wait) {
  if (!process_.left()) {
    if (may_wait) measure(k);
    if (depths_.load(std::memory_order_acquire) != 0 && changed()) wake();
  }
  return table_.ef_for(k, aim(recall));
}

void RecallLearner::measure(std::size_t k) {
  const std::size_t depths = std::min(recall_step(k), kDeepest) + 1;
  if (process_.left() || depths <= depths_.load(std::memory_order_acquire)) return;
  const internal::MutexLock lock(measuring_);
  if (depths <= depths_.load(std::memory_order_relaxed)) return;  // another search did
  try {
    measure_anew(depths);
  } catch (const std::bad_alloc&) {
  }
}

void RecallLearner::choose_truth(std::size_t depths) {
  truth_live_ = state_.graph->live();
  truth_ =
      sampler_.walk_finds_all(depths) ? RecallSampler::Truth::kWalk : RecallSampler::Truth::kScan;
}

void RecallLearner::begin_anew() {
  measured_live_.store(state_.graph->live(), std::memory_order_relaxed);
  measured_tombstones_.store(state_.graph->tombstones(), std::memory_order_relaxed);
  table_.renew();
  next_own_ = 0;
}

void RecallLearner::measure_anew(std::size_t depths) {
  choose_truth(depths);
  begin_anew();
  const Clock::time_point end = Clock::now() + kFirstMeasure;
  std::vector<std::optional<RecallSample>> samples(kTogether);
  for (std::uint64_t made = 0; made < kOwnSamples; made += kTogether) {
    if (made >= kFewestSamples && Clock::now() >= end) break;
    const RecallSampler::Truth truth = truth_;
    state_.workers(0).for_each(kTogether, 1, [&](std::size_t i) {
      samples[i] = sampler_.own_vector(made + i, depths, truth);
    });
    next_own_ = made + kTogether;
    for (const std::optional<RecallSample>& sample : samples) {
      if (sample) table_.add(*sample, Source::kOwnVectors);
    }
  }
  depths_.store(depths, std::memory_order_release);
}

bool RecallLearner::add_own() {
  const std::optional<RecallSample> sample =
      sampler_.own_vector(next_own_++, depths_.load(std::memory_order_relaxed), truth_);
  if (sample) table_.add(*sample, Source::kOwnVectors);
  return sample.has_value();
}

void RecallLearner::asked(std::span<const float> query) {
  if (process_.left()) return;
  // The n-th takes the place of one of those kept with the probability kPending / n.
  const std::uint64_t before = seen_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t place =
      before < kPending ? before : (before * 0x9e3779b97f4a7c15 >> 32) % (before + 1);
  if (place >= kPending) return;
  try {
    std::vector<float> copy(query.begin(), query.end());
    const internal::MutexLock lock(mutex_);
    if (place < pending_.size()) {
      pending_[place] = std::move(copy);
    } else if (pending_.size() < kPending) {
      pending_.push_back(std::move(copy));
    }
  } catch (const std::bad_alloc&) {
    return;
  }
  wake();
}

bool RecallLearner::take_pending(std::vector<float>& query) {
  if (compared_.empty()) {
    const internal::MutexLock lock(mutex_);
    compared_.swap(pending_);
    seen_.store(0, std::memory_order_relaxed);
  }
  if (compared_.empty()) return false;
  query = std::move(compared_.back());
  compared_.pop_back();
  return true;
}

void RecallLearner::wake() {
  if (running_.load(std::memory_order_relaxed)) return;
  const internal::MutexLock lock(mutex_);
  if (running_.load(std::memory_order_relaxed) || stop_) return;
  if (thread_.joinable()) thread_.join();  // it has ended
  try {
    thread_ = internal::thread_without_signals([this] { run(); });
    running_.store(true, std::memory_order_relaxed);
  } catch (const std::system_error&) {
  }
}

void RecallLearner::run() {
  while (true) {
    const Clock::time_point begun = Clock::now();
    bool more = false;
    try {
      more = step();
    } catch (const std::bad_alloc&) {
    }
    const bool knows_much = table_.samples(Source::kQueries) >= kManyQueries;
    const Clock::time_point now = Clock::now();
    const Clock::time_point end = now + (now - begun) * (knows_much ? kLongRest : kShortRest);
    const internal::MutexLock lock(mutex_);
    while (more && !stop_ && stopped_.wait_until(mutex_, end)) {
    }
    if (more && !stop_) continue;
    running_.store(false, std::memory_order_relaxed);
    return;
  }
}

bool RecallLearner::step() {
  const std::size_t depths = depths_.load(std::memory_order_acquire);
  if (depths == 0 || state_.gate.closed()) return false;
  const internal::MutexLock lock(measuring_);
  if (changed()) {
    if (state_.graph->live() > 2 * truth_live_) choose_truth(depths);
    begin_anew();
  }
  if (next_own_ < kFewestSamples) return add_own();
  queries_turn_ = !queries_turn_;
  if (queries_turn_ && add_pending()) return true;
  return (next_own_ < kOwnSamples && add_own()) || add_pending();
}

bool RecallLearner::add_pending() {
  std::vector<float> query;
  if (!take_pending(query)) return false;
  const std::optional<RecallSample> sample =
      sampler_.query(query, depths_.load(std::memory_order_relaxed), RecallSampler::Truth::kScan);
  if (sample) table_.add(*sample, Source::kQueries);
  return true;
}

}  // namespace vicinal::engine
