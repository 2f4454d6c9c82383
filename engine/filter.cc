#include "engine/filter.h"

#include <algorithm>

namespace vicinal::engine {
namespace {

// An exact comparison with this many vectors costs about what a filtered walk does.
constexpr std::size_t kFewLabels = 20000;
// Below this share the walk expands mostly nodes that may not be returned.
constexpr double kFewShare = 0.05;

}  // namespace

AcceptedLabels::AcceptedLabels(const Filter& filter, std::uint64_t live) : filter_(filter) {
  if (!filter.use_allow) return;
  allowed_.reserve(filter.allow.size());
  for (const Label label : filter.allow) {
    if (allowed_.insert(label).second) labels_.push_back(label);
  }
  const auto count = static_cast<double>(labels_.size());
  selectivity_ = live == 0 ? 0 : std::min(1.0, count / static_cast<double>(live));
  few_ = labels_.size() <= kFewLabels || selectivity_ < kFewShare;
  own_ = [this](Label label) { return allowed_.contains(label); };
}

const std::function<bool(Label)>* AcceptedLabels::predicate() const {
  if (filter_.use_allow) return &own_;
  return filter_.predicate ? &filter_.predicate : nullptr;
}

}  // namespace vicinal::engine
