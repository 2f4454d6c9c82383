// SearchLimit: how long one search may go on.
//
// Threads: one at a time; a search's own.
#pragma once

#include <chrono>
#include <cstdint>

namespace vicinal::graph {

class SearchLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `distances`: 0 for any number.
  SearchLimit(Time deadline, std::uint64_t distances)
      : deadline_(deadline), left_(distances == 0 ? ~std::uint64_t{0} : distances) {}

  /// Whether the search is over that computed so many distances since it asked last; for good once
  /// it was. Reads the clock where there is a deadline.
  bool spend(std::uint64_t distances) {
    if (stopped_) return true;
    stopped_ = distances >= left_ ||
               (deadline_ != Time::max() && std::chrono::steady_clock::now() >= deadline_);
    left_ -= stopped_ ? 0 : distances;
    return stopped_;
  }
  bool stopped() const { return stopped_; }

 private:
  const Time deadline_;
  std::uint64_t left_;
  bool stopped_ = false;
};

}  // namespace vicinal::graph
