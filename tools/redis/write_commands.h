// The commands that change sets: VADD, VREM, VSETATTR, VICINAL.CREATE and VICINAL.MADD.
//
// What: each is applied on the main thread, whole, and replicated as it was given, updates too, so that
// replicas and the append-only file hold what was acknowledged, in its order.
// Threads: the main thread. They throw as refusal.h says, with nothing changed.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// VADD key [REDUCE dim] (FP32 blob | VALUES n f1..fn) element [CAS] [NOQUANT|Q8|BIN] [EF n]
///   [SETATTR json] [M n]
/// CAS is accepted: the vector is linked at once, by the main thread. EF is that of the set's creation.
void vadd(ServerContext* context, ServerString** argv, int argc);
/// VREM key element: the key goes with its last element.
void vrem(ServerContext* context, ServerString** argv, int argc);
/// VSETATTR key element json
void vsetattr(ServerContext* context, ServerString** argv, int argc);
/// VICINAL.CREATE key DIM d [METRIC cosine|ip|l2] [M n] [EF n] [NOQUANT|Q8]: an empty set.
void create(ServerContext* context, ServerString** argv, int argc);
/// VICINAL.MADD key FP32 n blob element [element ...]: n vectors, one after the other, in one step; how
/// many of the elements are new.
void madd(ServerContext* context, ServerString** argv, int argc);

}  // namespace vicinal::redis
