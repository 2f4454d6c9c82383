// A set as commands, for an append-only file that is written without the RDB form: exactly what it is,
// bits of vectors, attributes and the options of its creation.
//
// Threads: the child of a fork, on the one thread that it has.
#pragma once

#include "tools/redis/module_api.h"
#include "tools/redis/vector_set.h"

namespace vicinal::redis {

/// Errors: as save_still(). Throws std::bad_alloc.
Status rewrite_set(ServerIo* io, ServerString* key, const VectorSet& set);

/// The name that the command `name` ("VADD") was registered under.
const char* registered_name(const char* name);

}  // namespace vicinal::redis
