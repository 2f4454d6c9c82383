// SketchTrial: whether searches of a graph go by sketches (sketches.h), found out on its own vectors.
//
// What: some vectors are sought with both kinds of walk, of two widths, and what each finds of the
// nearest is counted. Searches go by sketches only where those find as many, but for 0.003. Where
// vectors lie in one corner (embeddings whose mean is not near 0) what two bits say of a vector is
// mostly what they say of every other.
// When: with every doubling of the graph; a node that was just linked is a query, one a link, 64 in
// all: two walks' time each. Until the first trial searches go by codes. A batch and opening do all
// at their end.
// Not stored, and links never depend on it.
// Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "engine/base/mutex.h"
#include "graph/types.h"

namespace vicinal::graph {

class GraphState;

/// How wide a walk by sketches is that stands for one of `ef` by codes: mix (768 and 1,536
/// dimensions) and gauss (768) find more by it at every ef from 10 to 160.
constexpr std::size_t sketch_beam(std::size_t ef) { return ef + 4 + ef / 8; }

class SketchTrial {
 public:
  static constexpr std::uint32_t kQueries = 64;
  static constexpr std::uint32_t kNearest = 10;  ///< sought for each query
  static constexpr std::array<std::size_t, 2> kWidths = {16, 64};

  /// Of one query's nearest, how many each kind of walk found, by width.
  struct Outcome {
    std::array<std::uint32_t, kWidths.size()> by_codes{};
    std::array<std::uint32_t, kWidths.size()> by_sketches{};
  };

  /// Whether searches go by sketches.
  bool passed() const { return passed_.load(std::memory_order_relaxed); }
  /// Whether a graph of so many slots wants a query.
  bool due(std::uint64_t slots) const { return slots >= due_at_.load(std::memory_order_relaxed); }
  /// `slots`: when the query was made.
  void note(const Outcome& outcome, std::uint64_t slots);
  /// Another topology: the next queries are a trial of their own. The outcome stands until then.
  void begin_anew();

 private:
  /// Below, a walk meets most of the graph.
  static constexpr std::uint64_t kFewest = 1024;

  std::atomic<bool> passed_{false};
  std::atomic<std::uint64_t> due_at_{kFewest};
  internal::Mutex mutex_;
  std::uint32_t queries_ VICINAL_GUARDED_BY(mutex_) = 0;
  Outcome sums_ VICINAL_GUARDED_BY(mutex_);
};

/// Makes some of `nodes`, which are linked, queries of the graph's trial as long as it wants any.
/// Where memory runs out the trial goes on another time.
void try_sketches(GraphState& g, std::span<const NodeId> nodes, unsigned threads) noexcept;

}  // namespace vicinal::graph
