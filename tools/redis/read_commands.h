// The commands that look at a set without searching it.
//
// Threads: the main thread. They throw as refusal.h says.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// VCARD key: elements; 0 when the key is missing.
void vcard(ServerContext* context, ServerString** argv, int argc);
/// VDIM key
void vdim(ServerContext* context, ServerString** argv, int argc);
/// VISMEMBER key element
void vismember(ServerContext* context, ServerString** argv, int argc);
/// VGETATTR key element: null where there is none.
void vgetattr(ServerContext* context, ServerString** argv, int argc);
/// VEMB key element [RAW]: the stored float32 components, exactly; RAW: as Redis's vector sets keep it.
void vemb(ServerContext* context, ServerString** argv, int argc);
/// VINFO key
void vinfo(ServerContext* context, ServerString** argv, int argc);
/// VLINKS key element [WITHSCORES]: neighbors by level, highest first. A set too small for a graph answers
/// with those that its one level would have: the nearest 2 M.
void vlinks(ServerContext* context, ServerString** argv, int argc);
/// VRANDMEMBER key [count]
void vrandmember(ServerContext* context, ServerString** argv, int argc);
/// VRANGE key start end [count]: names in byte order.
void vrange(ServerContext* context, ServerString** argv, int argc);

}  // namespace vicinal::redis
