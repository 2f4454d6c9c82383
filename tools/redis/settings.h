// Settings: the module's configuration parameters, `vicinal.*` of CONFIG GET and SET and redis.conf.
//
// Threads: written by the main thread, read by any.
#pragma once

#include <atomic>

#include "tools/redis/module_api.h"

namespace vicinal::redis {

struct Settings {
  /// Threads for searches, 0 to 1,024: 0 has the main thread do them.
  std::atomic<long long> search_threads;
  /// Threads that link a VICINAL.MADD, load, copy or rebuild, 0 to 1,024; 0: one for each processor.
  std::atomic<long long> build_threads{0};
  /// Serialized bytes from which on a set is called large, in INFO and in the log: MIGRATE stops both
  /// servers meanwhile.
  std::atomic<long long> max_migrate_bytes{64LL << 20};
};
inline Settings settings;

inline unsigned build_threads() { return static_cast<unsigned>(settings.build_threads.load()); }

/// Registers them and takes what the server's configuration says. False: refused (the server logs why).
bool register_settings(ServerContext* context) noexcept;

}  // namespace vicinal::redis
