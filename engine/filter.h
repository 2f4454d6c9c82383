// AcceptedLabels: a Filter made ready for one search.
//
// What: a predicate is passed on, the graph samples how much it lets through; an allow-list becomes
// a hash set of labels, and when it is short the search compares exactly with its vectors.
// Threads: one search's.
#pragma once

#include <tsl/robin_set.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/claims.h"
#include "vicinal/options.h"

namespace vicinal::engine {

class AcceptedLabels {
 public:
  AcceptedLabels(const Filter& filter, std::uint64_t live);
  AcceptedLabels(const AcceptedLabels&) = delete;
  AcceptedLabels& operator=(const AcceptedLabels&) = delete;

  /// Null when everything is accepted.
  const std::function<bool(Label)>* predicate() const;
  /// The share of labels accepted; negative: unknown.
  double selectivity() const { return selectivity_; }
  /// True when comparing with each of labels() is cheaper than a filtered walk.
  bool few() const { return few_; }
  /// Of an allow-list: no repeats.
  std::span<const Label> labels() const { return labels_; }

 private:
  struct Hash {
    std::size_t operator()(Label label) const { return mix_label(label); }
  };

  const Filter& filter_;
  tsl::robin_set<Label, Hash> allowed_;
  std::vector<Label> labels_;
  std::function<bool(Label)> own_;
  double selectivity_ = -1;
  bool few_ = false;
};

}  // namespace vicinal::engine
