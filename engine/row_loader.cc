#include "engine/row_loader.h"

#include <chrono>
#include <new>
#include <utility>

#include "persist/failpoints.h"

namespace vicinal::engine {
namespace {

constexpr std::chrono::milliseconds kUntilMemory{100};

}  // namespace

RowLoader::RowLoader(graph::Graph& graph, unsigned threads,
                     std::function<void(const Status&)> on_failure)
    : graph_(graph),
      on_failure_(std::move(on_failure)),
      thread_([this, threads] { run(threads); }) {}

void RowLoader::run(unsigned threads) {
  if (!persist::failpoints::reach("loading.background").ok()) return;
  while (!stopping_.load()) {
    try {
      // The graph keeps what goes wrong, for whoever needs the rows.
      const Status status = graph_.load_deferred(
          threads, [this](std::uint64_t, std::uint64_t) { return !stopping_.load(); });
      if (!status.ok() && !stopping_.load()) on_failure_(status);
      return;
    } catch (const std::bad_alloc&) {
      // What is left can be read meanwhile, from where it is.
      std::this_thread::sleep_for(kUntilMemory);
    }
  }
}

void RowLoader::stop() {
  stopping_.store(true);
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

}  // namespace vicinal::engine
