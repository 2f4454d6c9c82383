// Soak: one store under everything at once, for as long as one likes, beside a model.
//
// What: writers, each the only one of its labels, that note before and after each call which state a
// label is to have; searchers that hold every answer against what may be there at that moment; and
// one thread of maintenance. Shifts are short: after each all threads stop, the store is compared
// with the model, closed, opened, and compared again.
// Threads: those of a shift; everything else by one.
//
// Invariants that searchers check beside writers:
//   S1  What get() gives is the label's state acknowledged last before the call, or one begun since.
//   S2  Hits are of labels that exist, each once, nearest first, and as many as were asked for.
//   S3  A label that nobody writes is found by its own vector.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "tests/crash/plan.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::testing {

inline constexpr std::size_t kSoakWriters = 4;
inline constexpr std::size_t kSoakSearchers = 4;
inline constexpr std::size_t kSoakLabelsPerWriter = 400;
inline constexpr std::size_t kSoakLabels = kSoakWriters * kSoakLabelsPerWriter;
inline constexpr std::size_t kResting = 64;  ///< labels behind those, which nobody writes

/// What is stored, as far as the calls have answered.
struct Model {
  struct State {
    std::atomic<LabelState> begun{0};
    std::atomic<LabelState> done{0};
  };
  std::array<State, kSoakLabels> states;
};

struct SoakCounts {
  std::atomic<std::uint64_t> writes{0};
  std::atomic<std::uint64_t> searches{0};
  std::atomic<std::uint64_t> looks{0};
  std::atomic<std::uint64_t> maintenance{0};
};

class Soak {
 public:
  explicit Soak(Plan plan);
  Soak(const Soak&) = delete;
  Soak& operator=(const Soak&) = delete;

  /// One shift, with threads of that seed. Empty, or what is wrong.
  std::string shift(std::uint64_t seed, std::chrono::milliseconds length);

  const SoakCounts& counts() const { return counts_; }
  /// Of the data file, after a shift.
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  void open();
  void write(std::size_t writer, std::uint64_t seed);
  /// Says in the model what a call will give these labels; the rows where it stores some.
  std::vector<float> begin_call(std::span<const Label> labels, bool store);
  void search(std::uint64_t seed);
  void look(std::uint64_t seed);
  void maintain(std::uint64_t seed);
  void compare();
  void check_hits(const SearchResult& found, std::size_t wanted);
  /// Keeps the first.
  void wrong(const std::string& words);
  bool going_on() const { return !stop_.load(std::memory_order_relaxed); }
  void run(const std::function<void()>& work);

  const Plan plan_;
  Model model_;
  SoakCounts counts_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Index> index_;
  std::uint64_t file_bytes_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::string wrong_;
};

}  // namespace vicinal::testing
