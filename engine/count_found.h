// count_found: how many of the nearest a search found, which is what recall is a share of.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace vicinal::engine {

/// How many of `right`, the nearest, `found` has; both nearest first, `right` not empty. Ties with
/// the farthest count, whichever was returned.
template <typename Hit>
std::size_t count_found(std::span<const Hit> found, std::span<const Hit> right) {
  const float farthest = right.back().distance;
  const auto beyond = std::find_if(found.begin(), found.end(),
                                   [&](const Hit& hit) { return hit.distance > farthest; });
  return std::min(static_cast<std::size_t>(beyond - found.begin()), right.size());
}

}  // namespace vicinal::engine
