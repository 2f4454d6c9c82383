#include "engine/filtered_request.h"

#include <algorithm>

#include "engine/base/step_hook.h"
#include "engine/callback.h"

namespace vicinal::engine {
namespace {

bool ask(const Filter& filter, Label label) {
  if (filter.labels && !filter.labels->contains(label)) return false;
  if (!filter.predicate) return true;
  const CallbackScope scope(CallbackScope::Holds::kNothing);
  return filter.predicate(label);
}

// Negative where it is to be sampled: labels of a set need not be live. Of a small set that share
// is at most so small that asking costs more than it tells.
double share_of(const LabelSet& set, std::uint64_t live) {
  constexpr std::uint64_t kSmall = 20;
  if (set.stored() == 0) return set.inverted() ? 1 : 0;
  if (set.inverted() || set.stored() > live / kSmall) return -1;
  return static_cast<double>(set.stored()) / static_cast<double>(live);
}

}  // namespace

FilteredRequest::FilteredRequest(const Filter& filter, const LabelMap& labels, std::uint64_t live)
    : filter_(filter) {
  if (!filter.active()) return;
  accept_ = [this](Label label) { return ask(filter_, label); };
  if (!filter.labels) return;
  if (!filter.predicate) share_ = share_of(*filter.labels, live);
  if (filter.labels->inverted()) return;
  listed_.count = filter.labels->stored();
  listed_.append = [this, &labels](const graph::Moment& moment, std::vector<graph::NodeId>& out) {
    filter_.labels->for_each_stored([&](Label label) {
      const graph::NodeId now = labels.find(label);
      VICINAL_STEP_POINT("listed.found");
      const graph::NodeId node = moment.stood(now);
      if (node != graph::kNoNode) out.push_back(node);
      return true;
    });
  };
}

graph::SearchRequest FilteredRequest::request() const {
  graph::SearchRequest request;
  request.accept = accept_ ? &accept_ : nullptr;
  request.selectivity = share_;
  request.listed = listed_.append ? &listed_ : nullptr;
  return request;
}

}  // namespace vicinal::engine
