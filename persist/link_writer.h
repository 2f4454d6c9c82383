// LinkWriter: changed links on their way into the records of their groups.
//
// What: the nodes of a group share a record, which is written anew when the links of one change.
// What a step stores is made before its write transaction, where nobody waits for it: nobody else
// writes links meanwhile, and the engine's locks and LMDB's writer never meet.
// Ownership: the environment outlives it; a step owns its records.
// Threads: one, the checkpoint's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "persist/checkpoint_source.h"
#include "persist/envelope.h"
#include "persist/index_range.h"
#include "persist/lmdb_env.h"

namespace vicinal::persist {

class LinkWriter {
 public:
  /// Groups with their sealed records; an empty one: the group has no links any more.
  using Step = std::vector<std::pair<std::uint32_t, RecordBuffer>>;

  LinkWriter(Environment& environment, const IndexRange& links)
      : environment_(environment), links_(links) {}

  /// Records of about `bytes` bytes with the links of nodes[*next] (ascending) and those that
  /// follow; `*next` becomes the first that is left. No source: without their links.
  /// Errors: the source's, LMDB's.
  Result<Step> collect(CheckpointSource* source, const std::vector<graph::NodeId>& nodes,
                       std::uint64_t bytes, std::size_t* next) const;
  Status store(Transaction& transaction, const Step& step) const;

 private:
  /// A node's place in its group, and its links.
  using Change = std::pair<std::uint32_t, graph::NodeLinks>;

  Result<RecordBuffer> record(Transaction& transaction, std::uint32_t group,
                              const std::vector<Change>& changes) const;

  Environment& environment_;
  const IndexRange links_;
};

}  // namespace vicinal::persist
