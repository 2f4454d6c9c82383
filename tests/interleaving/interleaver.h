// Interleaver: runs two calls against each other in every order of their steps.
//
// What: the files under test are compiled with VICINAL_STEP_HOOK and stop at named points
// (engine/base/step_hook.h). One of the two threads goes on at a time, until its next point or its end;
// which one is decided by a schedule, and all schedules are tried, one after another, by turning
// round the last decision that was not turned round yet. Who sleeps in the kernel between two points,
// because it waits for the other side, lets that go on meanwhile. ThreadSanitizer sees data races; what it
// cannot see, an order that loses a label, is found here.
// Threads: one Interleaver at a time in a process.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace vicinal::testing {

class Interleaver {
 public:
  /// Stops at points whose names begin with one of `points`, passes by all others. Who reaches a
  /// point "wait..." lets the other side go on as long as it can.
  /// `sides_wait`: for each other, in the kernel. Who sleeps there for another reason, on a busy machine,
  /// is taken for one who waits, and fewer orders are tried.
  explicit Interleaver(std::vector<std::string> points, bool sides_wait = false)
      : points_(std::move(points)), sides_wait_(sides_wait) {}

  /// Which call was over before the other began, in one schedule.
  struct Order {
    bool first_then_second = false;
    bool second_then_first = false;
  };
  /// A state to try one schedule on, the two calls, and what must hold afterwards.
  struct Case {
    std::function<void()> first;
    std::function<void()> second;
    std::function<void(const Order&)> check;
  };

  /// Makes a case for every schedule and runs it. Returns how many there were; ends early, after
  /// `most`.
  std::size_t run(const std::function<Case()>& make, std::size_t most = 200'000);

  /// For reach_step_point().
  void reach(const char* point);
  static Interleaver* present();

 private:
  enum class Stage { kWaiting, kRunning, kBlocked, kOver };
  struct Side {
    Stage stage = Stage::kWaiting;
    bool waits = false;  ///< at a point "wait..."
    int thread = 0;      ///< the kernel's number of it
  };

  void run_one(const Case& one);
  /// Until the side whose turn it is has stopped, or is blocked.
  void wait_for_stop(std::unique_lock<std::mutex>& lock);
  /// Who goes on; false when both are over.
  bool choose();
  void stop(std::size_t side, Stage stage);
  void go(std::size_t side, const std::function<void()>& call);
  void wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t side);
  bool next_schedule();

  const std::vector<std::string> points_;
  const bool sides_wait_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Side sides_[2];         // under mutex_
  std::size_t turn_ = 2;  // under mutex_: whose step it is; 2: nobody's

  /// Decisions taken where both could go on: which side went.
  std::vector<std::size_t> decisions_;
  std::size_t at_ = 0;
  Order order_;
};

}  // namespace vicinal::testing
