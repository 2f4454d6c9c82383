// What the server is told of a command beside its flags: how it uses its key, which access control goes
// by (%R~ and %W~ patterns), and its categories where the server knows those of modules.
//
// Threads: the main thread, while the module is loaded.
#pragma once

#include "tools/redis/module_api.h"

namespace vicinal::redis {

/// How a command uses argv[1].
enum class KeyUse { kRead, kUpdate, kInsert, kDelete };

/// Creates the command. False: the name is taken.
bool create_command(ServerContext* context, const char* name, CommandFunction function,
                    const char* flags, KeyUse use) noexcept;

}  // namespace vicinal::redis
