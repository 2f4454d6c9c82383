// The module's section of INFO.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// Fields of `INFO vicinal`.
/// Threads: the main thread, or the one that crashed.
void write_info(ServerInfoContext* info, int for_crash_report) noexcept;

}  // namespace vicinal::redis
