// The commands for who runs the server: what a set is made of, whether it is sound, and how to mend it.
//
// What: each works in a thread (background.h) beside readers and writers, one after the other; STATS, which is
// quick, where searches do. What its client does not wait for any more ends. REPAIR and REBUILD
// change no vector and no answer but for the better, so they are not replicated: each server does its own.
// Threads: the main thread. They throw as refusal.h says.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// VICINAL.STATS key: a map of numbers.
void stats(ServerContext* context, ServerString** argv, int argc);
/// VICINAL.VALIDATE key: a map: problems by kind, and in words.
void validate(ServerContext* context, ServerString** argv, int argc);
/// VICINAL.RECALL key [SAMPLES n] [COUNT n] [EF n]: recall@COUNT of searches against exact ones.
void recall(ServerContext* context, ServerString** argv, int argc);
/// VICINAL.REPAIR key: unlinks what was erased and frees its room.
void repair(ServerContext* context, ServerString** argv, int argc);
/// VICINAL.REBUILD key: a fresh graph.
void rebuild(ServerContext* context, ServerString** argv, int argc);

}  // namespace vicinal::redis
