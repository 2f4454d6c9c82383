#include "graph/select_links.h"

#include <algorithm>
#include <array>

#include "graph/copies.h"
#include "graph/link_arena.h"
#include "graph/scorer.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kWindow = 64;

// The candidates that are looked at together, and which of them a kept one occludes.
class Window {
 public:
  Window(const GraphState& g, NodeId base, std::span<const LinkCandidate> candidates,
         std::size_t begin, Scratch& scratch)
      : g_(g),
        base_(base),
        candidates_(candidates),
        begin_(begin),
        end_(std::min(begin + kWindow, candidates.size())),
        scratch_(scratch) {}

  std::size_t end() const { return end_; }
  bool occluded(std::size_t i) const { return occluded_[i - begin_]; }

  /// Marks what `kept` occludes of the candidates from `first` on.
  void occlude(const LinkCandidate& kept, std::size_t first) {
    std::size_t n = 0;
    for (std::size_t i = std::max(first, begin_); i < end_; ++i) {
      const LinkCandidate& c = candidates_[i];
      // Without a branch: which are occluded cannot be predicted.
      ids_[n] = raw(c.neighbor.node);
      positions_[n] = static_cast<std::uint8_t>(i - begin_);
      const bool decided = c.needed | occluded(i) | (c.settled & kept.settled);
      n += decided ? 0 : 1;
    }
    if (n == 0) return;
    Scorer::for_node(g_, kept.neighbor.node, Scorer::Side::kSecond, scratch_)(ids_.data(), n,
                                                                              distances_.data());
    scratch_.distances_computed += n;
    const bool copy_of_base = same_value(g_, base_, kept.neighbor.node);
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t position = positions_[j];
      const Neighbor& c = candidates_[begin_ + position].neighbor;
      occluded_[position] =
          (!copy_of_base && distances_[j] < c.distance) ||
          (c.distance == kept.neighbor.distance && same_value(g_, kept.neighbor.node, c.node));
    }
  }

 private:
  const GraphState& g_;
  const NodeId base_;
  const std::span<const LinkCandidate> candidates_;
  const std::size_t begin_;
  const std::size_t end_;
  Scratch& scratch_;
  std::array<bool, kWindow> occluded_{};
  std::array<std::uint32_t, kWindow> ids_;
  std::array<std::uint8_t, kWindow> positions_;
  std::array<float, kWindow> distances_;
};

}  // namespace

std::size_t select_links(const GraphState& g, NodeId base, std::span<LinkCandidate> candidates,
                         std::size_t limit, Scratch& scratch) {
  std::size_t needed = 0;
  for (const LinkCandidate& c : candidates) needed += c.needed ? 1 : 0;
  std::size_t room = limit > needed ? limit - needed : 0;
  std::size_t kept = 0;
  for (std::size_t begin = 0; begin < candidates.size() && room + needed > 0;) {
    Window window(g, base, candidates, begin, scratch);
    for (std::size_t k = 0; k < kept && room > 0; ++k) window.occlude(candidates[k], begin);
    for (std::size_t i = begin; i < window.end() && room + needed > 0; ++i) {
      const LinkCandidate c = candidates[i];
      if (!c.needed && (room == 0 || window.occluded(i))) continue;
      --(c.needed ? needed : room);
      candidates[kept++] = c;
      if (kept == kMaxLinks) return kept;
      if (room > 0) window.occlude(c, i + 1);
    }
    begin = window.end();
  }
  return kept;
}

}  // namespace vicinal::graph
