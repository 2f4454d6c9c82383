// The module's entry: what is registered with the server, under which names.
#include <string_view>

#include "tools/redis/aof.h"
#include "tools/redis/command_info.h"
#include "tools/redis/fork_guard.h"
#include "tools/redis/heap.h"
#include "tools/redis/info.h"
#include "tools/redis/key.h"
#include "tools/redis/maintenance_commands.h"
#include "tools/redis/memory_limit.h"
#include "tools/redis/module_api.h"
#include "tools/redis/read_commands.h"
#include "tools/redis/refusal.h"
#include "tools/redis/search_command.h"
#include "tools/redis/set_type.h"
#include "tools/redis/settings.h"
#include "tools/redis/thread_pool.h"
#include "tools/redis/write_commands.h"
#include "vicinal/index.h"
#include "vicinal/memory.h"

namespace vicinal::redis {
namespace {

constexpr const char* kModuleName = "vicinal";
constexpr int kModuleVersion = 1;

/// A command of Redis 8's vector sets. Where the server has them itself, ours has its second name.
struct Command {
  const char* name;
  const char* prefixed;
  CommandFunction function;
  const char* flags;
  KeyUse use = KeyUse::kRead;
};

constexpr Command kVectorSetCommands[] = {
    {"VADD", "VICINAL.VADD", run<vadd>, "write deny-oom", KeyUse::kUpdate},
    {"VREM", "VICINAL.VREM", run<vrem>, "write", KeyUse::kDelete},
    {"VSETATTR", "VICINAL.VSETATTR", run<vsetattr>, "write fast", KeyUse::kUpdate},
    {"VSIM", "VICINAL.VSIM", run<vsim>, "readonly"},
    {"VCARD", "VICINAL.VCARD", run<vcard>, "readonly fast"},
    {"VDIM", "VICINAL.VDIM", run<vdim>, "readonly fast"},
    {"VEMB", "VICINAL.VEMB", run<vemb>, "readonly fast"},
    {"VINFO", "VICINAL.VINFO", run<vinfo>, "readonly fast"},
    {"VISMEMBER", "VICINAL.VISMEMBER", run<vismember>, "readonly"},
    {"VLINKS", "VICINAL.VLINKS", run<vlinks>, "readonly fast"},
    {"VGETATTR", "VICINAL.VGETATTR", run<vgetattr>, "readonly fast"},
    {"VRANDMEMBER", "VICINAL.VRANDMEMBER", run<vrandmember>, "readonly"},
    {"VRANGE", "VICINAL.VRANGE", run<vrange>, "readonly"},
};

constexpr Command kOwnCommands[] = {
    {nullptr, "VICINAL.CREATE", run<create>, "write deny-oom", KeyUse::kInsert},
    {nullptr, "VICINAL.MADD", run<madd>, "write deny-oom", KeyUse::kUpdate},
    {nullptr, "VICINAL.STATS", run<stats>, "readonly"},
    {nullptr, "VICINAL.VALIDATE", run<validate>, "readonly"},
    {nullptr, "VICINAL.RECALL", run<recall>, "readonly"},
    {nullptr, "VICINAL.REPAIR", run<repair>, "readonly"},
    {nullptr, "VICINAL.REBUILD", run<rebuild>, "readonly"},
};

bool prefixed = false;

bool add(ServerContext* context, const char* name, const Command& command) {
  return create_command(context, name, command.function, command.flags, command.use);
}

bool add_commands(ServerContext* context) {
  for (const Command& command : kVectorSetCommands) {
    if (!prefixed && add(context, command.name, command)) continue;
    if (!prefixed && &command != kVectorSetCommands) {
      api.Log(context, "warning", "vicinal: the command %s is another module's", command.name);
      return false;
    }
    // The first: the server, or a module before this one, has vector sets.
    prefixed = true;
    if (!add(context, command.prefixed, command)) return false;
  }
  for (const Command& command : kOwnCommands) {
    if (!add(context, command.prefixed, command)) return false;
  }
  return true;
}

// What was to be saved is saved by now.
void server_exits(ServerContext*, ServerEvent, std::uint64_t, void*) {
  ThreadPool::maintenance().end();
  ThreadPool::searches().end();
}

bool load(ServerContext* context, int argc) {
  if (!bind(context)) return false;
  if (api.IsModuleNameBusy(kModuleName) != 0) {
    api.Log(context, "warning", "vicinal: a module of this name is loaded already");
    return false;
  }
  api.SetModuleAttribs(context, kModuleName, kModuleVersion, kApiVersion);
  if (argc > 0) {
    api.Log(context, "warning",
            "vicinal: no arguments are taken: set vicinal.search-threads and the others in the "
            "server's configuration");
    return false;
  }
  if (!set_allocator({hook_allocate, hook_deallocate})) {
    api.Log(context, "warning", "vicinal: the allocator of the server cannot be used");
    return false;
  }
  set_type = create_set_type(context);
  if (set_type == nullptr) {
    api.Log(context, "warning", "vicinal: the type names vectorset and vicinalvs are both taken");
    return false;
  }
  if (!add_commands(context) || !register_settings(context) ||
      api.RegisterInfoFunc(context, write_info) != kOk) {
    api.Log(context, "warning", "vicinal: the server refuses a command, a setting or a section");
    return false;
  }
  api.SetModuleOptions(context, kOptionHandleIoErrors | kOptionHandleAsyncLoad);
  watch_memory_limit(context);
  api.SubscribeToServerEvent(context, kEventShutdown, server_exits);
  if (!install_fork_guard()) {
    api.Log(context, "warning", "vicinal: no memory");
    return false;
  }
  if (prefixed) {
    api.Log(context, "notice",
            "vicinal: VADD is another's: the commands are VICINAL.VADD, VICINAL.VSIM and so on");
  }
  return true;
}

}  // namespace

const char* registered_name(const char* name) {
  for (const Command& command : kVectorSetCommands) {
    if (std::string_view(command.name) == name) return prefixed ? command.prefixed : command.name;
  }
  return name;
}

}  // namespace vicinal::redis

/// What the server calls when it loads the module; 0 when that went well.
// NOLINTNEXTLINE(readability-identifier-naming): the server looks for this name
extern "C" [[gnu::visibility("default")]] int RedisModule_OnLoad(
    vicinal::redis::ServerContext* context, vicinal::redis::ServerString**, int argc) {
  try {
    return vicinal::redis::load(context, argc) ? vicinal::redis::kOk : vicinal::redis::kError;
  } catch (...) {
    return vicinal::redis::kError;
  }
}
