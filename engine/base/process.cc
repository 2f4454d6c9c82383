#include "engine/base/process.h"

#include <pthread.h>

#include <atomic>

namespace vicinal::internal {
namespace {

// Only compared: it does not matter by how much a fork raises it.
constinit std::atomic<std::uint64_t> forks{0};
constinit std::atomic<bool> registered{false};

}  // namespace

OwnProcess::OwnProcess() {
  if (!registered.load(std::memory_order_acquire)) {
    static_cast<void>(::pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1); }));
    registered.store(true, std::memory_order_release);
  }
  forks_ = forks.load(std::memory_order_relaxed);
}

bool OwnProcess::left() const noexcept { return forks.load(std::memory_order_relaxed) != forks_; }

}  // namespace vicinal::internal
