// What one thread's searches took and found: the clocks of vicinal-bench live.
//
// What: a Tally takes the times of searches by the wall and by the thread's own clock, counts how
// often the thread went to sleep inside them, which answers were too short, and keeps some answers
// for judging later. A LiveCount gives the bound that an answer's length is held against.
// Threads: a Tally is one thread's; a LiveCount is everybody's.
// Invariants:
//   Nothing of the bench's own lies between the readings around a search: keeping an answer and
//   waiting for an activity come after them.
//   LiveCount::fewest() never exceeds the number of acknowledged live labels at any moment between
//   the two readings: what was acknowledged before, less all erases begun since.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "tools/matrix/matrix.h"
#include "vicinal/index.h"

namespace vicinal::bench {

/// Nanoseconds of the steady clock, comparable between threads.
std::int64_t now_ns();

/// A lower bound of how many labels are live, at every moment.
class LiveCount {
 public:
  /// Not beside other calls.
  void reset(std::uint64_t live);
  /// After the insert of `count` labels was acknowledged.
  void added(std::uint64_t count) { added_.fetch_add(count); }
  /// Before the call that erases a label.
  void erasing() { erasing_.fetch_add(1); }

  /// To be read before a search.
  std::uint64_t before() const { return added_.load(); }
  /// Read after it: the fewest that were live at any moment since before().
  std::uint64_t fewest(std::uint64_t before) const;

 private:
  std::atomic<std::uint64_t> added_{0};
  std::atomic<std::uint64_t> erasing_{0};
};

struct Answer {
  std::int64_t begin = 0;  ///< now_ns() before the search
  std::int64_t end = 0;    ///< and after it
  std::vector<Label> labels;
};

/// By query, some answers of each, drawn evenly from all.
using Answers = std::vector<std::vector<Answer>>;

class Tally {
 public:
  Tally(std::uint64_t queries, std::uint64_t seed)
      : answers(queries), seen_(queries), random_(seed) {}

  std::uint64_t searches() const { return wall.count(); }
  double qps() const { return seconds > 0 ? static_cast<double>(searches()) / seconds : 0; }

  Latencies wall;
  Latencies cpu;
  double seconds = 0;  ///< the sum of `wall`
  std::uint64_t waits = 0;
  std::uint64_t short_answers = 0;
  Answers answers;

  /// One more answer to `query`: some of each are kept, drawn from all.
  void keep(std::uint64_t query, Answer answer);

 private:
  std::vector<std::uint32_t> seen_;
  std::mt19937_64 random_;
};

/// The searching thread: single searches, one query after the other.
class SearchThread {
 public:
  SearchThread(const matrix::Matrix& query, std::size_t k) : query_(query), hits_(k) {}

  /// One search of query number `q`, told to `tally`.
  Status search(const Index& index, const LiveCount& live, std::size_t ef, std::uint64_t q,
                Tally& tally);

 private:
  const matrix::Matrix& query_;
  std::vector<Hit> hits_;
};

}  // namespace vicinal::bench
