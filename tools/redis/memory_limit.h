// The server's maxmemory, with what its allocator does not know of: the pages of indexes.
//
// Threads: the main thread.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// Reads maxmemory, now and whenever the configuration changes.
void watch_memory_limit(ServerContext* context) noexcept;

/// Throws the server's own refusal when used_memory and arenas together pass maxmemory. Never refuses
/// what a primary or a file says: it was accepted before.
void refuse_when_full(ServerContext* context);

}  // namespace vicinal::redis
