// The data type: what the server calls for a value, saving, loading, copying and freeing it.
//
// Threads: the main thread, or the child of a fork; free() any.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// Registers the type under the name of Redis 8's vector sets or, where that is taken, our own. Null: both
/// are.
ServerType* create_set_type(ServerContext* context) noexcept;

}  // namespace vicinal::redis
