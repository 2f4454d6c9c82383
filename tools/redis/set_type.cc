#include "tools/redis/set_type.h"

#include <unistd.h>

#include <deque>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "tools/redis/aof.h"
#include "tools/redis/key.h"
#include "tools/redis/memory_limit.h"
#include "tools/redis/serialize.h"
#include "tools/redis/settings.h"

namespace vicinal::redis {
namespace {

const VectorSet& set_of(const void* value) { return **static_cast<const SetValue*>(value); }

// What could not be written whole must not look as if it were. A child that saves ends, and its save
// fails; the process itself writes a set that load() refuses.
void saving_failed(ServerIo* io, const char* why) {
  api.LogIOError(io, "warning", "vicinal: a vector set cannot be saved: %s", why);
  if ((api.GetContextFlags(api.GetContextFromIO(io)) & kFlagIsChild) != 0) ::_exit(1);
}

void rdb_save(ServerIo* io, void* value) noexcept {
  try {
    const Status saved = save_set(set_of(value), [io](std::string_view bytes) {
      api.SaveStringBuffer(io, bytes.data(), bytes.size());
      return Status();  // the server itself notices what it cannot write
    });
    if (!saved.ok()) saving_failed(io, saved.message().c_str());
  } catch (const std::exception& e) {
    saving_failed(io, e.what());
  }
}

// The strings of an RDB file, one at a time.
class IoStrings {
 public:
  explicit IoStrings(ServerIo* io) : io_(io), context_(api.GetContextFromIO(io)) {}
  ~IoStrings() { api.Free(bytes_); }
  IoStrings(const IoStrings&) = delete;
  IoStrings& operator=(const IoStrings&) = delete;

  Result<std::string_view> next() {
    api.Free(std::exchange(bytes_, nullptr));
    // A long load must not look dead. Outside of loading the server would let other clients in.
    if ((api.GetContextFlags(context_) & kFlagLoading) != 0) {
      api.Yield(context_, kYieldNoClients, nullptr);
    }
    std::size_t length = 0;
    bytes_ = api.LoadStringBuffer(io_, &length);
    if (bytes_ == nullptr || api.IsIOError(io_) != 0) {
      return Status::corruption("a vector set is cut short");
    }
    return std::string_view(bytes_, length);
  }

 private:
  ServerIo* const io_;
  ServerContext* const context_;
  char* bytes_ = nullptr;
};

void* rdb_load(ServerIo* io, int encoding_version) noexcept {
  if (encoding_version != kEncodingVersion) {
    api.LogIOError(io, "warning",
                   "vicinal: a vector set of encoding version %d: this module reads version %d",
                   encoding_version, kEncodingVersion);
    return nullptr;
  }
  // RESTORE, and so MIGRATE: what a file or a primary says is never refused.
  if (is_full(api.GetContextFromIO(io))) {
    api.LogIOError(io, "warning", "vicinal: a vector set is refused: it would pass maxmemory");
    return nullptr;
  }
  try {
    IoStrings strings(io);
    Result<SetValue> set = load_set([&strings] { return strings.next(); }, build_threads());
    if (set) return new SetValue(std::move(*set));
    api.LogIOError(io, "warning", "vicinal: a vector set is refused: %s",
                   set.status().message().c_str());
  } catch (const std::exception& e) {
    api.LogIOError(io, "warning", "vicinal: a vector set is refused: %s", e.what());
  }
  return nullptr;
}

void aof_rewrite(ServerIo* io, ServerString* key, void* value) noexcept {
  try {
    const Status written = rewrite_set(io, key, set_of(value));
    if (!written.ok()) saving_failed(io, written.message().c_str());
  } catch (const std::exception& e) {
    saving_failed(io, e.what());
  }
}

std::size_t memory_usage(const void* value) noexcept {
  try {
    return set_of(value).memory();
  } catch (const std::bad_alloc&) {
    return set_of(value).arena_bytes();
  }
}

// Names are in order, so the digest is that of the set and not of its history.
void digest(ServerDigest* to, void* value) noexcept {
  const VectorSet& set = set_of(value);
  api.DigestAddLongLong(to, set.dimension());
  api.DigestAddLongLong(to, static_cast<long long>(set.options().metric));
  api.DigestEndSequence(to);
  try {
    set.elements().walk({}, false, [&](std::string_view name, Label label) {
      api.DigestAddStringBuffer(to, name.data(), name.size());
      if (const Result<std::vector<float>> vector = set.index().get(label)) {
        api.DigestAddStringBuffer(to, reinterpret_cast<const char*>(vector->data()),
                                  vector->size() * sizeof(float));
      }
      if (const auto attribute = set.elements().attribute_of(label)) {
        api.DigestAddStringBuffer(to, attribute->data(), attribute->size());
      }
      api.DigestEndSequence(to);
      return true;
    });
  } catch (const std::bad_alloc&) {
    api.DigestAddStringBuffer(to, "out of memory", 13);
  }
}

// Searches that run keep the set; in the server's background thread, or here, the last one to let go frees.
void free_value(void* value) noexcept { delete static_cast<SetValue*>(value); }

std::size_t free_effort(ServerString*, const void* value) noexcept { return set_of(value).size(); }

// A set that is unlinked goes on until free_value(): nothing is to be told apart.
void unlink_value(ServerString*, const void*) noexcept {}

void* copy_value(ServerString*, ServerString*, const void* value) noexcept {
  try {
    if (is_full(nullptr, set_of(value).memory())) {
      api.Log(nullptr, "warning", "vicinal: a vector set is not copied: it would pass maxmemory");
      return nullptr;
    }
    std::deque<std::string> strings;
    const Status saved = save_set(set_of(value), [&strings](std::string_view bytes) {
      strings.emplace_back(bytes);
      return Status();
    });
    if (!saved.ok()) return nullptr;
    std::string taken;  // each goes when the next is read, so that both forms are not whole at once
    Result<SetValue> copy = load_set(
        [&]() -> Result<std::string_view> {
          if (strings.empty()) return Status::corruption("cut short");
          taken = std::move(strings.front());
          strings.pop_front();
          return std::string_view(taken);
        },
        build_threads());
    return copy ? new SetValue(std::move(*copy)) : nullptr;
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

ServerType* create_set_type(ServerContext* context) noexcept {
  TypeMethods methods;
  methods.rdb_load = rdb_load;
  methods.rdb_save = rdb_save;
  methods.aof_rewrite = aof_rewrite;
  methods.mem_usage = memory_usage;
  methods.digest = digest;
  methods.free = free_value;
  methods.free_effort = free_effort;
  methods.unlink = unlink_value;
  methods.copy = copy_value;
  ServerType* const type = api.CreateDataType(context, "vectorset", kEncodingVersion, &methods);
  if (type != nullptr) return type;
  return api.CreateDataType(context, "vicinalvs", kEncodingVersion, &methods);
}

}  // namespace vicinal::redis
