#include "tests/interleaving/interleaver.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

namespace vicinal::testing {
namespace {

constexpr std::size_t kNobody = 2;

Interleaver* interleaver = nullptr;
thread_local std::size_t side_of_this_thread = kNobody;

/// Whether the kernel has put it to sleep.
bool sleeps(int thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
}

}  // namespace

Interleaver* Interleaver::present() { return interleaver; }

void Interleaver::reach(const char* point) {
  const std::size_t side = side_of_this_thread;
  if (side == kNobody) return;
  const auto begins = [&](const std::string& p) {
    return std::strncmp(point, p.data(), p.size()) == 0;
  };
  const bool waits = begins("wait.");
  if (!waits && std::none_of(points_.begin(), points_.end(), begins)) return;
  std::unique_lock lock(mutex_);
  sides_[side].waits = waits;
  stop(side, Stage::kWaiting);
  wait_for_turn(lock, side);
}

// Who was blocked and goes on by itself has no turn to give back.
void Interleaver::stop(std::size_t side, Stage stage) {
  sides_[side].stage = stage;
  if (turn_ == side) turn_ = kNobody;
  changed_.notify_all();
}

void Interleaver::wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t side) {
  changed_.wait(lock, [&] { return turn_ == side; });
  sides_[side].stage = Stage::kRunning;
}

void Interleaver::go(std::size_t side, const std::function<void()>& call) {
  side_of_this_thread = side;
  {
    std::unique_lock lock(mutex_);
    sides_[side].thread = ::gettid();
    wait_for_turn(lock, side);
    if (sides_[1 - side].stage == Stage::kOver) {
      (side == 1 ? order_.first_then_second : order_.second_then_first) = true;
    }
  }
  call();
  const std::lock_guard lock(mutex_);
  stop(side, Stage::kOver);
}

void Interleaver::wait_for_stop(std::unique_lock<std::mutex>& lock) {
  if (!sides_wait_) changed_.wait(lock, [&] { return turn_ == kNobody; });
  constexpr std::chrono::milliseconds kLook{1};
  constexpr int kLongest = 60'000;  // looks: nobody has a turn, and nobody stops
  for (int looks = 0; turn_ != kNobody; ++looks) {
    if (changed_.wait_for(lock, kLook, [&] { return turn_ == kNobody; })) return;
    if (looks == kLongest) std::abort();
    // Who has the turn and does not know it yet sleeps, too.
    if (sides_[turn_].stage != Stage::kRunning || !sleeps(sides_[turn_].thread)) continue;
    sides_[turn_].stage = Stage::kBlocked;
    turn_ = kNobody;
  }
}

bool Interleaver::choose() {
  const auto waiting = [&](std::size_t side) { return sides_[side].stage == Stage::kWaiting; };
  if (waiting(0) && waiting(1)) {
    if (sides_[0].waits != sides_[1].waits) {
      turn_ = sides_[0].waits ? 1 : 0;
    } else {
      if (at_ == decisions_.size()) decisions_.push_back(0);
      turn_ = decisions_[at_++];
    }
  } else if (waiting(0) || waiting(1)) {
    turn_ = waiting(0) ? 0 : 1;
  } else if (sides_[0].stage == Stage::kOver && sides_[1].stage == Stage::kOver) {
    return false;
  } else {  // who is blocked wakes up by what the other did last
    turn_ = sides_[0].stage == Stage::kBlocked ? 0 : 1;
    sides_[turn_].stage = Stage::kRunning;
  }
  return true;
}

void Interleaver::run_one(const Case& one) {
  sides_[0] = {};
  sides_[1] = {};
  order_ = {};
  at_ = 0;
  turn_ = kNobody;
  interleaver = this;
  {
    std::jthread first([&] { go(0, one.first); });
    std::jthread second([&] { go(1, one.second); });
    std::unique_lock lock(mutex_);
    for (wait_for_stop(lock); choose(); wait_for_stop(lock)) changed_.notify_all();
  }
  interleaver = nullptr;
  one.check(order_);
}

bool Interleaver::next_schedule() {
  decisions_.resize(at_);
  while (!decisions_.empty() && decisions_.back() == 1) decisions_.pop_back();
  if (decisions_.empty()) return false;
  decisions_.back() = 1;
  return true;
}

std::size_t Interleaver::run(const std::function<Case()>& make, std::size_t most) {
  decisions_.clear();
  for (std::size_t schedules = 1;; ++schedules) {
    run_one(make());
    if (schedules == most || !next_schedule()) return schedules;
  }
}

}  // namespace vicinal::testing

namespace vicinal::internal {

void reach_step_point(const char* point) {
  if (auto* const present = testing::Interleaver::present()) present->reach(point);
}

}  // namespace vicinal::internal
