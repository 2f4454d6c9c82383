// The server's maxmemory, with what its allocator does not know of: the pages of indexes.
//
// Threads: the main thread.
#pragma once

#include <cstdint>

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// Reads maxmemory, now and whenever the configuration changes.
void watch_memory_limit(ServerContext* context) noexcept;

/// Whether used_memory and arenas together pass maxmemory, or would with `more` bytes. Never of what a
/// primary or a file says: it was accepted before. `context`: the server's own where there is none (null).
bool is_full(ServerContext* context, std::uint64_t more = 0);
/// Throws the server's own refusal when is_full().
void refuse_when_full(ServerContext* context, std::uint64_t more = 0);

}  // namespace vicinal::redis
