#include "engine/known_recall.h"

#include <memory>

namespace vicinal::engine {

RecallLearner& KnownRecall::learner() {
  RecallLearner* present = learner_.load(std::memory_order_acquire);
  if (present != nullptr) return *present;
  auto made = std::make_unique<RecallLearner>(state_);
  if (learner_.compare_exchange_strong(present, made.get(), std::memory_order_acq_rel)) {
    return *made.release();
  }
  return *present;
}

std::size_t KnownRecall::width(std::span<const float> query, const SearchOptions& options,
                               std::size_t k) {
  if (options.ef_search != 0) return options.ef_search;
  if (options.recall == 0 || state_.graph->flat()) return state_.options.ef_search;
  RecallLearner& known = learner();
  const bool may_wait = !options.has_limit() && !graph::Moment::thread_is_inside();
  const std::size_t ef = known.ef_for(k, options.recall, may_wait);
  if (!options.filter.active()) known.asked(query);
  return ef == 0 ? state_.options.ef_search : ef;
}

Result<ExpectedRecall> KnownRecall::expected(std::size_t k) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  if (k == 0) return Status::invalid_argument("recall of k 0: k must be at least 1");
  ExpectedRecall expected;
  if (state_.graph->flat()) return expected;
  RecallLearner& known = learner();
  known.measure(k);
  expected.own_vectors = known.table().samples(RecallTable::Source::kOwnVectors);
  expected.queries = known.table().samples(RecallTable::Source::kQueries);
  for (std::size_t width = 0; width < kRecallSteps.size(); ++width) {
    const double recall = known.table().recall(k, width);
    if (recall >= 0) expected.rows.push_back({deeper(kRecallSteps[width], k), recall});
  }
  return expected;
}

}  // namespace vicinal::engine
