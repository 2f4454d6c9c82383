// Callbacks: what long work tells its caller, and how it is told to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "graph/types.h"

namespace vicinal::graph {

/// Progress of long work inside the graph: (done, total) -> go on?
using StepCallback = std::function<bool(std::uint64_t done, std::uint64_t total)>;
/// After every round of a batch, with the nodes that it linked.
using RoundCallback = std::function<void(std::span<const NodeId> linked)>;

}  // namespace vicinal::graph
