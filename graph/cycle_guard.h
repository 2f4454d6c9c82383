// CycleGuard: ends a climb, or a descent, of parent links that goes in a circle.
//
// What: stored links are checked one by one, not whether their trees are trees. Brent's method: the
// node is compared with a mark that is set anew at every power of two, so a circle is noticed after
// at most three times its length, whatever the number of nodes.
// Threads: one at a time.
#pragma once

#include <cstdint>

#include "graph/types.h"

namespace vicinal::graph {

class CycleGuard {
 public:
  /// True when the walk has come to `at` before.
  bool repeats(NodeId at) {
    if (at == mark_) return true;
    if (++steps_ == limit_) {
      mark_ = at;
      limit_ *= 2;
      steps_ = 0;
    }
    return false;
  }

 private:
  NodeId mark_ = kNoNode;
  std::uint64_t steps_ = 0;
  std::uint64_t limit_ = 1;
};

}  // namespace vicinal::graph
