// FreedNodes: who is doomed, that is, freed by a later entry of the journal (R1).
//
// What: the last kFree entry of every node that the journal frees.
// Ownership: owns its table; grows with the journal.
// Threads: survey() and see() by one, doomed() by any while nobody surveys.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>

#include "graph/types.h"
#include "persist/index_range.h"
#include "persist/operations.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class FreedNodes {
 public:
  /// Looks at what came since the last call, all at first. Damaged entries are passed over: whoever
  /// reads them reports them.
  Status survey(Transaction& transaction, const IndexRange& journal, const graph::RowShape& row);

  /// The same for who walks the journal anyway: the entry at `sequence` frees `freed`.
  void see(Sequence sequence, std::span<const graph::NodeId> freed);

  /// The node that held the slot at `sequence` (0: in the node records) is freed by a later entry.
  bool doomed(graph::NodeId node, Sequence sequence) const {
    if (last_.empty()) return false;
    const auto found = last_.find(graph::raw(node));
    return found != last_.end() && found->second > sequence;
  }

 private:
  std::unordered_map<std::uint32_t, Sequence> last_;
  Sequence next_ = 0;  ///< entries before it were looked at
};

}  // namespace vicinal::persist
