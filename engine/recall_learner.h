// RecallLearner: keeps an index's RecallTable true: measures it, watches the index, learns from what
// is asked.
//
// What: the first search that names a recall has the table measured on the index's own vectors, at
// most about a second long, and waits for it. From then on a thread of its own does what is to be
// done, piece by piece with rests between, and ends when there is nothing: more own vectors, all
// anew when the index has grown, shrunk or aged by a tenth, and queries that were asked, compared
// with a scan.
// Why a thread of its own: an index in memory has no store's; and one that exists only while there
// is something to learn costs nothing to who names no recall.
// Ownership: a part of KnownRecall, made by the first search with a recall; borrows the index's state.
// Threads: every method from any thread. The destructor waits for the piece under way. In a child of
// fork() the table is as it was and learns no more.
// Errors: none; where memory or threads run out the table stays as it is.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/process.h"
#include "engine/index_state.h"
#include "engine/recall_sampler.h"
#include "engine/recall_table.h"

namespace vicinal::engine {

class RecallLearner {
 public:
  explicit RecallLearner(const IndexState& state) : state_(state), sampler_(state) {}
  ~RecallLearner();
  RecallLearner(const RecallLearner&) = delete;
  RecallLearner& operator=(const RecallLearner&) = delete;

  /// The ef by which the share `recall` of the nearest `k` should be found; 0: not known. Measures
  /// first where nothing is known of that k and `may_wait`.
  std::size_t ef_for(std::size_t k, double recall, bool may_wait);
  /// Some of the queries are kept, to be compared: any of those asked while the ones before are
  /// compared is as likely as any other.
  void asked(std::span<const float> query);
  /// Has the table measured where nothing is known of that k.
  void measure(std::size_t k);
  const RecallTable& table() const { return table_; }

 private:
  using Clock = std::chrono::steady_clock;
  /// Whether the index is no more the one that was measured.
  bool changed() const;
  /// The table from nothing, or from what is known of fewer depths.
  void measure_anew(std::size_t depths) VICINAL_REQUIRES(measuring_);
  /// Finds out what may stand for a scan.
  void choose_truth(std::size_t depths) VICINAL_REQUIRES(measuring_);
  /// Own vectors are to be sought anew, in the index as it is now.
  void begin_anew() VICINAL_REQUIRES(measuring_);
  /// Adds the sample of an own vector, or of a query. False when there is none.
  bool add_own() VICINAL_REQUIRES(measuring_);
  bool add_pending() VICINAL_REQUIRES(measuring_);
  /// Starts the thread unless it runs.
  void wake();
  void run();
  /// One piece of work; false when there is none.
  bool step();
  bool take_pending(std::vector<float>& query) VICINAL_REQUIRES(measuring_);

  const IndexState& state_;
  const RecallSampler sampler_;
  const internal::OwnProcess process_;
  RecallTable table_;

  internal::Mutex measuring_;  ///< who adds samples; taken before mutex_
  RecallSampler::Truth truth_ VICINAL_GUARDED_BY(measuring_) = RecallSampler::Truth::kScan;
  std::uint64_t truth_live_ VICINAL_GUARDED_BY(measuring_) = 0;  ///< when it was chosen
  std::uint64_t next_own_ VICINAL_GUARDED_BY(measuring_) = 0;
  std::atomic<std::size_t> depths_{0};  ///< known
  std::atomic<std::uint64_t> measured_live_{0};
  std::atomic<std::uint64_t> measured_tombstones_{0};
  bool queries_turn_ VICINAL_GUARDED_BY(measuring_) = false;  ///< of the thread's next piece
  std::vector<std::vector<float>> compared_ VICINAL_GUARDED_BY(measuring_);  ///< the last ones next
  std::atomic<std::uint64_t> seen_{0};  ///< queries since pending_ was taken

  internal::Mutex mutex_;
  internal::CondVar stopped_;
  bool stop_ VICINAL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> running_{false};  ///< changed under mutex_
  std::vector<std::vector<float>> pending_ VICINAL_GUARDED_BY(mutex_);
  std::thread thread_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace vicinal::engine
