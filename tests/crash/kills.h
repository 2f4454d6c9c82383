// Kills: a child process, and when it dies.
//
// What: a child dies at a moment of its life, or when it reaches a chosen place of the library for
// the n-th time (persist/failpoints.h). Places are learned as they are reached, by name, in the
// ledger: nobody lists them.
// Threads: the parent has one: it forks.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <random>
#include <string>

#include "tests/crash/ledger.h"

namespace vicinal::testing {

/// Memory that children share with their parent.
class SharedLedger {
 public:
  SharedLedger();
  SharedLedger(const SharedLedger&) = delete;
  SharedLedger& operator=(const SharedLedger&) = delete;
  ~SharedLedger();

  Ledger& operator*() { return *ledger_; }
  Ledger* operator->() { return ledger_; }
  /// For a new store. What was learned of places stays.
  void begin_anew();

 private:
  Ledger* ledger_;
};

/// How a child ended.
struct End {
  bool killed = false;
  int exit_code = 0;
  int signal = 0;  ///< when it died of another one than the kill
  std::string describe(const Ledger& ledger) const;
};

/// When a child is killed: after `most`, or earlier at a place.
struct Death {
  std::chrono::microseconds most{0};
  bool at_place = false;
};
Death draw_death(std::mt19937_64& random, std::chrono::microseconds longest);

/// Runs `life` in a child until it is killed or ends.
End run_and_kill(Ledger& ledger, const Death& death, std::mt19937_64& random,
                 const std::function<void()>& life);
/// Runs `life` in a child to its end, `seconds` at most.
End run(Ledger& ledger, unsigned seconds, const std::function<void()>& life);

}  // namespace vicinal::testing
