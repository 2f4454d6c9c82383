// checkpoint(): changed links, then scattered rows, then finished journal entries into chunks and
// node records.
//
// Ownership: the source belongs to the caller.
// Threads: one checkpoint of an index at a time; writers go on beside it.
//
// The cut is taken first: every entry up to it is applied in memory, so the links it made are among
// the changed nodes that are asked for afterwards. Links go to disk before the entries leave the
// journal (P4); load() ignores links of nodes that no node record vouches for, so the order is safe
// at every instant. Lists of several moments stand side by side between two steps of links, and
// afterwards where links changed meanwhile; their trees (graph.h, G9) need not agree. A mark, an
// entry that frees nothing, stands in the journal then, until a checkpoint whose lists are of one
// moment; whoever finds entries mends the trees. Where there is no room for links before the
// journal has shrunk they follow it: until then the mark stands for those that are missing. Nodes
// that an entry frees have their stored links replaced by what the engine says now: nothing, or
// those of the slot's next node.
#pragma once

#include "persist/checkpoint_source.h"
#include "persist/stored_index.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// See IndexRecords::checkpoint().
Result<CheckpointReport> checkpoint(StoredIndex& index, CheckpointSource& source,
                                    const ProgressCallback& progress);

}  // namespace vicinal::persist
