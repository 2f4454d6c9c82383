#include "bench/vicinal_bench/live_tally.h"

#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace vicinal::bench {
namespace {

// Enough to see a query at several moments of a phase, few enough for any number of seconds.
constexpr std::size_t kAnswersKept = 4;

std::int64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

/// How often the calling thread gave up its processor because it had to wait.
std::uint64_t thread_waits() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_nvcsw);
}

}  // namespace

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

void LiveCount::reset(std::uint64_t live) {
  added_ = live;
  erasing_ = 0;
}

std::uint64_t LiveCount::fewest(std::uint64_t before) const {
  const std::uint64_t gone = erasing_.load();
  return before > gone ? before - gone : 0;
}

void Tally::keep(std::uint64_t query, Answer answer) {
  std::vector<Answer>& kept = answers[query];
  const std::uint32_t seen = seen_[query]++;
  if (kept.size() < kAnswersKept) {
    kept.push_back(std::move(answer));
    return;
  }
  const auto slot = std::uniform_int_distribution<std::uint32_t>(0, seen)(random_);
  if (slot < kAnswersKept) kept[slot] = std::move(answer);
}

Status SearchThread::search(const Index& index, const LiveCount& live, std::size_t ef,
                            std::uint64_t q, Tally& tally) {
  SearchOptions options;
  options.k = hits_.size();
  options.ef_search = ef;
  Answer answer;
  const std::uint64_t live_before = live.before();
  const std::uint64_t waits = thread_waits();
  const std::int64_t cpu = thread_cpu_ns();
  answer.begin = now_ns();
  Result<std::size_t> got = index.search_into(query_.row(q), options, hits_);
  answer.end = now_ns();
  const std::int64_t cpu_after = thread_cpu_ns();
  const std::uint64_t waits_after = thread_waits();
  const std::uint64_t fewest = live.fewest(live_before);
  if (!got.ok()) return got.status();

  const double seconds = static_cast<double>(answer.end - answer.begin) * 1e-9;
  tally.wall.add(seconds);
  tally.cpu.add(static_cast<double>(cpu_after - cpu) * 1e-9);
  tally.seconds += seconds;
  tally.waits += waits_after - waits;
  if (*got < std::min<std::uint64_t>(hits_.size(), fewest)) ++tally.short_answers;
  for (std::size_t i = 0; i < *got; ++i) answer.labels.push_back(hits_[i].label);
  tally.keep(q, std::move(answer));
  return {};
}

}  // namespace vicinal::bench
