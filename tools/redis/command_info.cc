#include "tools/redis/command_info.h"

#include <cstddef>
#include <cstdint>

namespace vicinal::redis {
namespace {

// The server's layouts, of which it asks for the sizes.
struct History {
  const char* since;
  const char* changes;
};
struct KeySpec {
  const char* notes;
  std::uint64_t flags;
  int begin_search;
  union {
    struct {
      int position;
    } index;
    struct {
      const char* keyword;
      int from;
    } keyword;
  } begin;
  int find_keys;
  union {
    struct {
      int last;
      int step;
      int limit;
    } range;
    struct {
      int number;
      int first;
      int step;
    } counted;
  } find;
};
struct Argument {
  const char* name;
  int type;
  int key_spec;
  const char* token;
  const char* summary;
  const char* since;
  int flags;
  const char* deprecated;
  Argument* arguments;
  const char* display;
};
struct Version {
  int version;
  std::size_t history;
  std::size_t key_spec;
  std::size_t argument;
};
struct Info {
  const Version* version;
  const char* summary;
  const char* complexity;
  const char* since;
  History* history;
  const char* tips;
  int arity;
  KeySpec* key_specs;
  Argument* arguments;
};

constexpr Version kVersion{1, sizeof(History), sizeof(KeySpec), sizeof(Argument)};
constexpr int kBeginIndex = 2;
constexpr int kFindRange = 2;
constexpr std::uint64_t kReadOnly = 1 << 0;
constexpr std::uint64_t kReadWrite = 1 << 1;
constexpr std::uint64_t kAccess = 1 << 4;
constexpr std::uint64_t kUpdates = 1 << 5;
constexpr std::uint64_t kInserts = 1 << 6;
constexpr std::uint64_t kDeletes = 1 << 7;

std::uint64_t flags_of(KeyUse use) {
  switch (use) {
    case KeyUse::kRead:
      return kReadOnly | kAccess;
    case KeyUse::kUpdate:
      return kReadWrite | kUpdates;
    case KeyUse::kInsert:
      return kReadWrite | kInserts;
    case KeyUse::kDelete:
      return kReadWrite | kDeletes;
  }
  return kReadWrite;
}

}  // namespace

bool create_command(ServerContext* context, const char* name, CommandFunction function,
                    const char* flags, KeyUse use) noexcept {
  if (api.CreateCommand(context, name, function, flags, 1, 1, 1) != kOk) return false;
  ServerCommand* const command = api.GetCommand(context, name);
  if (command == nullptr) return false;
  KeySpec specs[2] = {};
  specs[0].flags = flags_of(use);
  specs[0].begin_search = kBeginIndex;
  specs[0].begin.index = {1};
  specs[0].find_keys = kFindRange;
  specs[0].find.range = {0, 1, 0};
  Info info = {};
  info.version = &kVersion;
  info.key_specs = specs;
  if (api.SetCommandInfo(command, &info) != kOk) return false;
  // Redis 7.0 puts commands of modules into no category: there they are granted by name.
  if (api.SetCommandACLCategories == nullptr) return true;
  return api.SetCommandACLCategories(command, use == KeyUse::kRead ? "read" : "write") == kOk;
}

}  // namespace vicinal::redis
