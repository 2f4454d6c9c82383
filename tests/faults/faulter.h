// Faulter: the system calls of one verb, counted, and one of them failed.
//
// What: armed, it numbers the calls that concern the stores; at a chosen number it has the call fail as
// the system may have it fail: once, or from then on every call that can fail so. Interruptions that
// last come three in a row: a signal is no more than that.
// Ownership: none.
// Threads: as SystemObserver; arm(), disarm() and the counts while no other thread makes calls, or
// later.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/faults/system_calls.h"

namespace vicinal::testing {

struct Fault {
  Verdict verdict;
  bool lasting = false;

  std::string described() const;
};

/// What the system may answer to such a call.
std::vector<Verdict> possible_faults(const SystemCall& call);

class Faulter : public SystemObserver {
 public:
  /// Of the calls that are made from now on, the `number`-th has `fault`; 0: none.
  void arm(std::uint64_t number, const Fault& fault);
  void disarm();

  /// Calls since arm().
  std::uint64_t calls() const { return calls_; }
  /// Whether the fault came to pass.
  bool happened() const { return happened_; }
  /// The call that it struck: "pwrite data.mdb".
  const std::string& struck() const { return struck_; }
  /// What could have struck each of the calls; counted while nothing is to fail.
  const std::vector<std::vector<Verdict>>& possible() const { return possible_; }

  Verdict before(const SystemCall& call) override;
  void after(const SystemCall& call, long result) override;

 private:
  bool applies(const SystemCall& call) const;

  std::atomic<bool> armed_{false};
  std::uint64_t number_ = 0;
  Fault fault_;
  std::atomic<std::uint64_t> calls_{0};
  std::uint64_t struck_so_far_ = 0;
  std::atomic<bool> happened_{false};
  std::string struck_;
  std::vector<std::vector<Verdict>> possible_;
};

}  // namespace vicinal::testing
