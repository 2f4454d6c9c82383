// What the module uses of the server's module API: our own declarations, of Redis 7.0 and Valkey.
//
// What: opaque types, numbers that the server and its modules agree upon, and one pointer for each
// function. The server hands out a function by its name; the function that does so is the first pointer
// of the context that RedisModule_OnLoad gets. bind() asks for all of them, once.
// Ownership: `api` is written by bind() and read by everybody after it.
// Threads: the main thread, unless a function's own line says any.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vicinal::redis {

struct ServerContext;
struct ServerKey;
struct ServerString;
struct ServerCommand;
struct ServerType;
struct ServerIo;
struct ServerDigest;
struct ServerInfoContext;
struct ServerInfoData;
struct BlockedClient;

inline constexpr int kApiVersion = 1;
inline constexpr int kOk = 0;
inline constexpr int kError = 1;

inline constexpr int kReadKey = 1 << 0;
inline constexpr int kWriteKey = 1 << 1;
inline constexpr int kKeyTypeEmpty = 0;
inline constexpr int kKeyTypeModule = 6;

// GetContextFlags()
inline constexpr int kFlagLua = 1 << 0;
inline constexpr int kFlagMulti = 1 << 1;
inline constexpr int kFlagReplica = 1 << 3;
inline constexpr int kFlagReplicated = 1 << 12;
inline constexpr int kFlagLoading = 1 << 13;
inline constexpr int kFlagIsChild = 1 << 20;
inline constexpr int kFlagDenyBlocking = 1 << 21;
inline constexpr int kFlagResp3 = 1 << 22;
inline constexpr int kFlagAsyncLoading = 1 << 23;

// SetModuleOptions()
inline constexpr int kOptionHandleIoErrors = 1 << 0;
inline constexpr int kOptionHandleAsyncLoad = 1 << 2;

inline constexpr int kNotifyGeneric = 1 << 2;
inline constexpr int kNotifyModule = 1 << 13;

inline constexpr int kYieldNoClients = 1 << 0;

inline constexpr unsigned kConfigDefault = 0;
inline constexpr unsigned kConfigMemory = 1U << 7;

/// An event that can be subscribed to.
struct ServerEvent {
  std::uint64_t id;
  std::uint64_t data_version;
};
inline constexpr ServerEvent kEventShutdown{5, 1};
inline constexpr ServerEvent kEventConfig{16, 1};

/// What a data type does, in the server's layout: version 4 is that of 7.0.
struct TypeMethods {
  std::uint64_t version = 4;
  void* (*rdb_load)(ServerIo*, int) = nullptr;
  void (*rdb_save)(ServerIo*, void*) = nullptr;
  void (*aof_rewrite)(ServerIo*, ServerString*, void*) = nullptr;
  std::size_t (*mem_usage)(const void*) = nullptr;
  void (*digest)(ServerDigest*, void*) = nullptr;
  void (*free)(void*) = nullptr;
  int (*aux_load)(ServerIo*, int, int) = nullptr;
  void (*aux_save)(ServerIo*, int) = nullptr;
  int aux_save_triggers = 0;
  std::size_t (*free_effort)(ServerString*, const void*) = nullptr;
  void (*unlink)(ServerString*, const void*) = nullptr;
  void* (*copy)(ServerString*, ServerString*, const void*) = nullptr;
  void* defrag = nullptr;
  void* mem_usage2 = nullptr;
  void* free_effort2 = nullptr;
  void* unlink2 = nullptr;
  void* copy2 = nullptr;
};

using CommandFunction = int (*)(ServerContext*, ServerString**, int);
using FreeFunction = void (*)(ServerContext*, void*);
using DisconnectFunction = void (*)(ServerContext*, BlockedClient*);
using InfoFunction = void (*)(ServerInfoContext*, int);
using EventFunction = void (*)(ServerContext*, ServerEvent, std::uint64_t, void*);
using GetNumber = long long (*)(const char*, void*);
using SetNumber = int (*)(const char*, long long, void*, ServerString**);
using ApplySettings = int (*)(ServerContext*, void*, ServerString**);

// F(result, name, parameters): the name is the server's, behind "RedisModule_".
// clang-format off
#define VICINAL_SERVER_FUNCTIONS(F)                                                               \
  F(void*, TryAlloc, (std::size_t)) /* any thread */                                               \
  F(void, Free, (void*))            /* any thread */                                               \
  F(int, IsModuleNameBusy, (const char*))                                                          \
  F(void, SetModuleAttribs, (ServerContext*, const char*, int, int))                               \
  F(void, SetModuleOptions, (ServerContext*, int))                                                 \
  F(int, CreateCommand, (ServerContext*, const char*, CommandFunction, const char*, int, int, int)) \
  F(ServerCommand*, GetCommand, (ServerContext*, const char*))                                     \
  F(int, SetCommandInfo, (ServerCommand*, const void*))                                            \
  F(ServerType*, CreateDataType, (ServerContext*, const char*, int, TypeMethods*))                 \
  F(int, RegisterInfoFunc, (ServerContext*, InfoFunction))                                         \
  F(int, RegisterNumericConfig, (ServerContext*, const char*, long long, unsigned, long long,      \
                                 long long, GetNumber, SetNumber, ApplySettings, void*))           \
  F(int, LoadConfigs, (ServerContext*))                                                            \
  F(int, SubscribeToServerEvent, (ServerContext*, ServerEvent, EventFunction))                     \
  F(void, Log, (ServerContext*, const char*, const char*, ...)) /* any thread */                   \
  F(int, GetContextFlags, (ServerContext*))                                                        \
  F(float, GetUsedMemoryRatio, ())                                                                 \
  F(ServerInfoData*, GetServerInfo, (ServerContext*, const char*))                                 \
  F(unsigned long long, ServerInfoGetFieldUnsigned, (ServerInfoData*, const char*, int*))          \
  F(void, FreeServerInfo, (ServerContext*, ServerInfoData*))                                       \
  F(ServerKey*, OpenKey, (ServerContext*, ServerString*, int))                                     \
  F(void, CloseKey, (ServerKey*))                                                                  \
  F(int, KeyType, (ServerKey*))                                                                    \
  F(int, DeleteKey, (ServerKey*))                                                                  \
  F(int, ModuleTypeSetValue, (ServerKey*, ServerType*, void*))                                     \
  F(ServerType*, ModuleTypeGetType, (ServerKey*))                                                  \
  F(void*, ModuleTypeGetValue, (ServerKey*))                                                       \
  F(int, NotifyKeyspaceEvent, (ServerContext*, int, const char*, ServerString*))                   \
  F(int, ReplicateVerbatim, (ServerContext*))                                                      \
  F(const char*, StringPtrLen, (const ServerString*, std::size_t*))                                \
  F(int, StringToLongLong, (const ServerString*, long long*))                                      \
  F(int, StringToDouble, (const ServerString*, double*))                                           \
  F(int, WrongArity, (ServerContext*))                                                             \
  F(int, ReplyWithError, (ServerContext*, const char*))                                            \
  F(int, ReplyWithSimpleString, (ServerContext*, const char*))                                     \
  F(int, ReplyWithStringBuffer, (ServerContext*, const char*, std::size_t))                        \
  F(int, ReplyWithLongLong, (ServerContext*, long long))                                           \
  F(int, ReplyWithDouble, (ServerContext*, double))                                                \
  F(int, ReplyWithBool, (ServerContext*, int))                                                     \
  F(int, ReplyWithNull, (ServerContext*))                                                          \
  F(int, ReplyWithNullArray, (ServerContext*))                                                     \
  F(int, ReplyWithArray, (ServerContext*, long))                                                   \
  F(int, ReplyWithMap, (ServerContext*, long))                                                     \
  F(BlockedClient*, BlockClient, (ServerContext*, CommandFunction, CommandFunction, FreeFunction,  \
                                  long long))                                                      \
  F(int, UnblockClient, (BlockedClient*, void*)) /* any thread */                                  \
  F(int, AbortBlock, (BlockedClient*))                                                             \
  F(void, SetDisconnectCallback, (BlockedClient*, DisconnectFunction))                             \
  F(void*, GetBlockedClientPrivateData, (ServerContext*))                                          \
  F(int, BlockedClientMeasureTimeStart, (BlockedClient*)) /* any thread */                         \
  F(int, BlockedClientMeasureTimeEnd, (BlockedClient*))   /* any thread */                         \
  F(void, SaveStringBuffer, (ServerIo*, const char*, std::size_t))                                 \
  F(char*, LoadStringBuffer, (ServerIo*, std::size_t*))                                            \
  F(int, IsIOError, (ServerIo*))                                                                   \
  F(ServerContext*, GetContextFromIO, (ServerIo*))                                                 \
  F(void, LogIOError, (ServerIo*, const char*, const char*, ...))                                  \
  F(void, EmitAOF, (ServerIo*, const char*, const char*, ...))                                     \
  F(void, Yield, (ServerContext*, int, const char*))                                               \
  F(void, DigestAddStringBuffer, (ServerDigest*, const char*, std::size_t))                        \
  F(void, DigestAddLongLong, (ServerDigest*, long long))                                           \
  F(void, DigestEndSequence, (ServerDigest*))                                                      \
  F(int, InfoAddSection, (ServerInfoContext*, const char*))                                        \
  F(int, InfoAddFieldULongLong, (ServerInfoContext*, const char*, unsigned long long))

// Later than Redis 7.0: null where the server has none.
#define VICINAL_LATER_FUNCTIONS(F) \
  F(int, SetCommandACLCategories, (ServerCommand*, const char*))
// clang-format on

/// The server's functions, by the server's names.
struct Api {
// NOLINTNEXTLINE(bugprone-macro-parentheses): types and names
#define VICINAL_DECLARE(result, name, parameters) result(*name) parameters = nullptr;
  VICINAL_SERVER_FUNCTIONS(VICINAL_DECLARE)
  VICINAL_LATER_FUNCTIONS(VICINAL_DECLARE)
#undef VICINAL_DECLARE
};
inline constinit Api api;

/// Finds every function. False: one is missing; the first such is logged where that is possible.
bool bind(ServerContext* context) noexcept;

}  // namespace vicinal::redis
