// Visibility: how a replaced vector disappears and its successor appears in one step (G10).
//
// What: states change together inside a VisibilityStep, which makes the sequence odd; a reader
// whose look at several states straddled a step looks again. A step is a few stores long. Threads:
// steps serialize each other by one mutex; readers take no lock.
#pragma once

#include <atomic>
#include <mutex>

#include "graph/graph_state.h"

namespace vicinal::graph {

class VisibilityStep {
 public:
  explicit VisibilityStep(GraphState& g) : g_(g), lock_(g.visibility_mutex) {
    // The states are stored with release after it: who reads one of them sees that a step is on.
    // Release here too: a walk that begins inside the step sees the links of what the step shows.
    g.visibility_sequence.store(g.visibility_sequence.load(std::memory_order_relaxed) + 1,
                                std::memory_order_release);
  }
  ~VisibilityStep() {
    g_.visibility_sequence.store(g_.visibility_sequence.load(std::memory_order_relaxed) + 1,
                                 std::memory_order_release);
  }
  VisibilityStep(const VisibilityStep&) = delete;
  VisibilityStep& operator=(const VisibilityStep&) = delete;

 private:
  GraphState& g_;
  std::lock_guard<std::mutex> lock_;
};

/// Runs `look`, which reads states with GraphState::state() and starts afresh each time, until no
/// step came between its reads. After many tries it keeps steps out for one look instead: a look at
/// a million states would never end beside writers whose steps come more often than it lasts.
template <typename Look>
void look_consistently(const GraphState& g, const Look& look) {
  constexpr int kTries = 32;
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t before = g.visibility_sequence.load(std::memory_order_acquire);
    if ((before & 1) != 0) continue;
    look();
    if (g.visibility_sequence.load(std::memory_order_relaxed) == before) return;
  }
  const std::lock_guard lock(g.visibility_mutex);
  look();
}

}  // namespace vicinal::graph
