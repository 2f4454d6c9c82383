#include "engine/base/process.h"

#include <pthread.h>

#include <atomic>

namespace vicinal::internal {
namespace {

std::atomic<std::uint64_t>& forks() {
  static std::atomic<std::uint64_t> count{0};
  return count;
}

}  // namespace

OwnProcess::OwnProcess() {
  static const int registered = ::pthread_atfork(nullptr, nullptr, [] { forks().fetch_add(1); });
  static_cast<void>(registered);
  forks_ = forks().load(std::memory_order_relaxed);
}

bool OwnProcess::left() const noexcept { return forks().load(std::memory_order_relaxed) != forks_; }

}  // namespace vicinal::internal
