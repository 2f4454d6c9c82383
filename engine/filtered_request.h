// FilteredRequest: a Filter as the graph takes it.
//
// What: one predicate over labels for what the filter says, the share of labels it lets through
// when that is known, and the set's own list where it has one. Nothing is copied or prepared:
// LabelSet is made once, by the caller.
// Ownership: borrows the filter and the label map.
// Threads: one search's.
#pragma once

#include <cstdint>
#include <functional>

#include "engine/label_map.h"
#include "graph/graph.h"
#include "vicinal/options.h"

namespace vicinal::engine {

class FilteredRequest {
 public:
  /// `live`: how many labels there are.
  FilteredRequest(const Filter& filter, const LabelMap& labels, std::uint64_t live);
  FilteredRequest(const FilteredRequest&) = delete;
  FilteredRequest& operator=(const FilteredRequest&) = delete;

  /// With the filter's part filled in. Valid while this lives.
  graph::SearchRequest request() const;

 private:
  const Filter& filter_;
  std::function<bool(Label)> accept_;  ///< empty: all
  double share_ = -1;
  graph::ListedNodes listed_;
};

}  // namespace vicinal::engine
