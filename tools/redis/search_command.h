// VSIM key (ELE element | FP32 blob | VALUES n f..) [WITHSCORES] [WITHATTRIBS] [COUNT n] [EPSILON e] [EF n]
//   [FILTER expression] [FILTER-EF n] [TRUTH] [NOTHREAD]
//
// What: the search runs in a thread of the pool on the index alone (background.h); names and attributes
// are looked up when it replies, and what was erased meanwhile is left out. A small set is searched at once:
// that is cheaper than to have a client wait.
// A key that was deleted meanwhile answers as it was: the search keeps its set.
// EF is at most the engine's 100,000. FILTER-EF is checked and not needed: the engine goes on until COUNT
// elements pass, or compares with all that do.
// Threads: the main thread. Throws as refusal.h says.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

void vsim(ServerContext* context, ServerString** argv, int argc);

}  // namespace vicinal::redis
