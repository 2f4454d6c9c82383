// KnownRecall: SearchOptions::recall of one index, from nothing to a learner (recall_learner.h).
//
// What: until a search first says a recall this is a null pointer.
// Ownership: a part of IndexCore; borrows the index's state, which outlives it.
// Threads: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>

#include "engine/index_state.h"
#include "engine/recall_learner.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class KnownRecall {
 public:
  explicit KnownRecall(const IndexState& state) : state_(state) {}
  ~KnownRecall() { delete learner_.load(); }
  KnownRecall(const KnownRecall&) = delete;
  KnownRecall& operator=(const KnownRecall&) = delete;

  /// How wide a walk for the nearest `k` of `query` is to be by `options`. It may have the table
  /// measured first: not with a deadline or a bound, nor inside of a graph::Moment.
  std::size_t width(std::span<const float> query, const SearchOptions& options, std::size_t k);
  /// See Index::expected_recall().
  Result<ExpectedRecall> expected(std::size_t k);

 private:
  RecallLearner& learner();

  const IndexState& state_;
  std::atomic<RecallLearner*> learner_{nullptr};  ///< owned
};

}  // namespace vicinal::engine
