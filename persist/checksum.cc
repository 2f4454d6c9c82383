#include "persist/checksum.h"

#define XXH_STATIC_LINKING_ONLY  // the size of a state
#include <xxhash.h>

#include <atomic>

// The library's own choice of instruction set at run time. Only an x86 library built with it
// has it, hence weak.
// NOLINTNEXTLINE(readability-identifier-naming): its name there
extern "C" XXH_errorcode XXH3_64bits_update_dispatch(XXH3_state_t*, const void*, std::size_t)
    __attribute__((weak));

namespace vicinal::persist {
namespace {

using Update = XXH_errorcode (*)(XXH3_state_t*, const void*, std::size_t);

/// Chosen once; the first call chooses inside the library, too, which keeps no order for that.
Update choose_update() {
  if (XXH3_64bits_update_dispatch == nullptr) return &XXH3_64bits_update;
  XXH3_state_t state;  // not from the heap: a checksum does not fail
  XXH3_INITSTATE(&state);
  const std::byte byte{};
  XXH3_64bits_reset(&state);
  XXH3_64bits_update_dispatch(&state, &byte, sizeof byte);
  return &XXH3_64bits_update_dispatch;
}

/// Chosen as the program begins, by one thread; before that by whoever else begins with the program. Not by a
/// local static: its lock may be held at a fork by a thread that the child does not have.
constinit std::atomic<Update> chosen{nullptr};
Update choose() {
  const Update update = choose_update();
  chosen.store(update, std::memory_order_release);
  return update;
}
[[maybe_unused]] const Update kChosenEarly = choose();

}  // namespace

std::uint64_t checksum(std::uint64_t seed,
                       std::initializer_list<std::span<const std::byte>> parts) noexcept {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, seed);
  Update update = chosen.load(std::memory_order_acquire);
  if (update == nullptr) update = choose();
  for (const std::span<const std::byte> part : parts) update(&state, part.data(), part.size());
  return XXH3_64bits_digest(&state);
}

}  // namespace vicinal::persist
