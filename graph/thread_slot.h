// thread_slot: which of a few slots a thread looks at first, so that threads rarely meet.
//
// Threads: any. Several threads may have the same slot, and a thread that is created anew mostly
// has the slot of one that ended.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>

namespace vicinal::graph {

/// Below `slots`; the same for every call of a thread.
inline std::uint32_t thread_slot(std::size_t slots) {
  thread_local const auto hash =
      static_cast<std::uint32_t>(std::hash<std::thread::id>{}(std::this_thread::get_id()));
  return (hash * 2654435761u >> 16) % static_cast<std::uint32_t>(slots);
}

}  // namespace vicinal::graph
