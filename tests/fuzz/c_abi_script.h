// What the files of the fuzz target c_abi share: the handles and arguments of a script of calls.
//
// What: a Caller does what the header lets a caller do: handles that are NULL, live or of a closed
// store, never freed ones; buffers of the very size that is told, so that the address sanitizer sees
// every byte beyond; structs of any size that is told.
// Ownership: the Caller frees what the script leaves.
// Threads: one.
#pragma once

#include <vicinal.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/fuzz/script_reader.h"

namespace vicinal::fuzz {

class Caller;
using Call = void (*)(Caller&);

/// What callbacks get: what they answer, and a call that they make before.
struct Context {
  Caller* caller = nullptr;
  bool answer = true;
  std::uint8_t calls = 0;  ///< 0: none
  std::span<const std::byte> bytes = {};
};

/// A struct of the size that it says it has, or NULL.
template <typename T>
class Sized {
 public:
  Sized(ScriptReader& script, const T& filled) {
    const std::uint8_t how = script.byte();
    if (how < 24) return;
    std::size_t size = sizeof(T);
    if (how >= 232) size = 8 * script.below(sizeof(T) / 8 + 4);
    if (how >= 248) size = script.number<std::uint64_t>();
    constexpr std::size_t kMost = 65536;
    const std::size_t room = size > kMost ? sizeof(std::size_t) : std::max(size, sizeof size);
    bytes_ = std::make_unique<std::byte[]>(room);
    std::memcpy(bytes_.get(), &filled, std::min(room, sizeof(T)));
    std::memcpy(bytes_.get(), &size, sizeof size);
    if (room > sizeof(T) && script.flag()) bytes_[room - 1] = std::byte{1};
  }
  T* get() const { return reinterpret_cast<T*>(bytes_.get()); }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

class Caller {
 public:
  explicit Caller(ScriptReader reader) : script(reader) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller();

  /// A status that can be, with words where it is no success.
  void expect_answer(vicinal_status status);
  /// A new handle goes to a slot whose old one is freed; none where the call failed.
  template <typename T>
  void keep(vicinal_status status, T* made, T*& slot, void (*free)(T*)) {
    expect_answer(status);
    expect((status == VICINAL_OK) == (made != nullptr), "a call that fails makes no handle");
    if (made == nullptr) return;
    free(slot);
    slot = made;
  }

  vicinal_index*& index() { return indexes_[script.below(indexes_.size())]; }
  vicinal_store*& store() { return stores_[script.below(stores_.size())]; }
  vicinal_label_set*& set() { return sets_[script.below(sets_.size())]; }
  vicinal_paused_writes*& paused() { return paused_; }
  Context* context(Context filled);

  std::size_t dimension();
  std::uint64_t label();
  std::vector<std::uint64_t> labels();
  std::vector<float> floats(std::size_t count);
  /// One of a few paths in the folder of this process, or NULL.
  const char* path();
  const char* name();
  std::string file(const std::string& name) const;

  ScriptReader script;
  /// How deep callbacks are in each other.
  int depth = 0;

 private:
  std::array<vicinal_index*, 3> indexes_{};
  std::array<vicinal_store*, 2> stores_{};
  std::array<vicinal_label_set*, 2> sets_{};
  vicinal_paused_writes* paused_ = nullptr;
  std::vector<std::unique_ptr<Context>> contexts_;
  std::string path_;
};

/// Callbacks for every kind, all with a Context.
bool on_progress(void* context, const vicinal_progress* progress);
bool on_label(void* context, std::uint64_t label);
bool on_text(void* context, const char* text);

/// Options as the script has them.
vicinal_index_options draw_index_options(Caller& caller);
vicinal_search_options draw_search_options(Caller& caller);

// The calls, by what they are on. A script names them by their numbers: add at the end.
std::span<const Call> index_calls();
std::span<const Call> search_calls();
std::span<const Call> store_calls();
/// Those that a callback may make: none that frees.
void call_inside(Caller& caller, std::uint8_t which);

}  // namespace vicinal::fuzz
