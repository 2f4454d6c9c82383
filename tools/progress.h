// Progress of long work on standard error: a bar with rate and time left when it is a terminal, a
// line every few seconds otherwise, nothing when the work is short or --quiet was given.
//
// Ownership: a value on the stack; finishes in its destructor.
// Threads: update() and callbacks from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "vicinal/options.h"

namespace vicinal::tools {

class ProgressBar {
 public:
  /// `total` 0 means unknown. `unit` is what is counted: "rows".
  ProgressBar(std::string title, std::uint64_t total, std::string unit);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `done` units in all are done.
  void update(std::uint64_t done);
  /// Leaves the last state on the terminal and ends the line. Further updates do nothing.
  void finish();

  /// For engine calls that are the whole work: shows their phases; asks to stop once the user
  /// pressed Ctrl-C. The bar must outlive the callback.
  ProgressCallback callback();
  /// For engine calls that are a part of the work: links made count from `base` on.
  ProgressCallback callback_from(std::uint64_t base);

  /// Turns all bars off (--quiet).
  static void set_quiet(bool quiet);

 private:
  using Clock = std::chrono::steady_clock;

  void show(Clock::time_point now);
  std::string line(Clock::time_point now) const;
  std::string bar() const;

  std::mutex mutex_;
  std::string title_;
  std::string phase_;
  std::string unit_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  Clock::time_point start_;  ///< of the phase
  Clock::time_point shown_;
  bool terminal_;
  bool drawn_ = false;
  bool finished_ = false;
};

}  // namespace vicinal::tools
