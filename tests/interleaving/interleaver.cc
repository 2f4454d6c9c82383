#include "tests/interleaving/interleaver.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace vicinal::testing {
namespace {

constexpr std::size_t kNobody = 2;

Interleaver* interleaver = nullptr;
thread_local std::size_t side_of_this_thread = kNobody;

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
  sides_[side].stage = Stage::kWaiting;
  turn_ = kNobody;
  changed_.notify_all();
  wait_for_turn(lock, side);
}

void Interleaver::wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t side) {
  changed_.wait(lock, [&] { return turn_ == side; });
  sides_[side].stage = Stage::kRunning;
}

void Interleaver::go(std::size_t side, const std::function<void()>& call) {
  side_of_this_thread = side;
  {
    std::unique_lock lock(mutex_);
    wait_for_turn(lock, side);
    if (sides_[1 - side].stage == Stage::kOver) {
      (side == 1 ? order_.first_then_second : order_.second_then_first) = true;
    }
  }
  call();
  const std::lock_guard lock(mutex_);
  sides_[side].stage = Stage::kOver;
  turn_ = kNobody;
  changed_.notify_all();
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
    for (;;) {
      changed_.wait(lock, [&] { return turn_ == kNobody; });
      const bool both = sides_[0].stage == Stage::kWaiting && sides_[1].stage == Stage::kWaiting;
      std::size_t next = sides_[0].stage == Stage::kOver ? 1 : 0;
      if (sides_[next].stage == Stage::kOver) break;
      if (both && sides_[0].waits != sides_[1].waits) {
        next = sides_[0].waits ? 1 : 0;
      } else if (both) {
        if (at_ == decisions_.size()) decisions_.push_back(0);
        next = decisions_[at_++];
      }
      turn_ = next;
      changed_.notify_all();
    }
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

namespace vicinal::graph {

void reach_step_point(const char* point) {
  if (auto* const present = testing::Interleaver::present()) present->reach(point);
}

}  // namespace vicinal::graph
