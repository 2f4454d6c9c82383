// Key: an opened key of the server, for the length of a command; and words of a command's line.
//
// Threads: the main thread.
#pragma once

#include <string_view>

#include "tools/redis/module_api.h"
#include "tools/redis/refusal.h"
#include "tools/redis/vector_set.h"

namespace vicinal::redis {

/// The type of our keys; set once, when the module is loaded.
inline constinit ServerType* set_type = nullptr;

class Key {
 public:
  /// Throws a Refusal where the key holds something else.
  Key(ServerContext* context, ServerString* name, int mode)
      : key_(api.OpenKey(context, name, mode)) {
    const int type = key_ == nullptr ? kKeyTypeEmpty : api.KeyType(key_);
    if (type == kKeyTypeEmpty) return;
    if (type != kKeyTypeModule || api.ModuleTypeGetType(key_) != set_type) {
      api.CloseKey(key_);
      throw Refusal("WRONGTYPE Operation against a key holding the wrong kind of value");
    }
    set_ = static_cast<SetValue*>(api.ModuleTypeGetValue(key_));
  }
  ~Key() { api.CloseKey(key_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  bool missing() const { return set_ == nullptr; }
  VectorSet& operator*() const { return **set_; }
  VectorSet* operator->() const { return set_->get(); }
  /// For who goes on when the command has returned.
  const SetValue& share() const { return *set_; }

  /// Of a missing key opened for writing. Throws std::bad_alloc.
  void create(SetValue set) {
    auto* const value = new SetValue(std::move(set));
    api.ModuleTypeSetValue(key_, set_type, value);
    set_ = value;
  }
  void remove() {
    set_ = nullptr;
    api.DeleteKey(key_);
  }

 private:
  ServerKey* const key_;
  SetValue* set_ = nullptr;
};

inline std::string_view text(const ServerString* word) {
  std::size_t length = 0;
  const char* const begin = api.StringPtrLen(word, &length);
  return {begin, length};
}

/// Whether `word` is `option`, which is written in capitals.
inline bool is(const ServerString* word, std::string_view option) {
  const std::string_view given = text(word);
  if (given.size() != option.size()) return false;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char c = given[i];
    if ((c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c) != option[i]) return false;
  }
  return true;
}

/// The whole number in `word`, from `least` to `most`; a Refusal with `error` when it is none.
inline long long number(const ServerString* word, long long least, long long most,
                        const char* error) {
  long long value = 0;
  if (api.StringToLongLong(word, &value) != kOk || value < least || value > most) {
    throw Refusal(error);
  }
  return value;
}

}  // namespace vicinal::redis
