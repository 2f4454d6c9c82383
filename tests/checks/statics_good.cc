// What a process has one of, as statics.sh wants it: never ended, and no lock around its making.
#include <thread>
#include <vector>

#include "engine/base/process.h"

std::vector<int>& made_once() {
  static constinit std::atomic<std::vector<int>*> place{nullptr};
  return vicinal::internal::first_made(place, [] { return std::make_unique<std::vector<int>>(3); });
}

std::thread::id of_thread() {
  thread_local const std::thread::id id = std::this_thread::get_id();
  return id;
}
