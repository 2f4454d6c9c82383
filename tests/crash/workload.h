// Workload: a process that does to a store all that changes it, at once, until it is killed.
#pragma once

#include <cstdint>

#include "tests/crash/ledger.h"
#include "tests/crash/plan.h"

namespace vicinal::testing {

/// Exit codes of a child that was not killed.
inline constexpr int kWrongAnswer = 2;  ///< Ledger::message says which

/// Opens the store and, in threads: writes single vectors and batches and erases them, repairs,
/// checkpoints, rebuilds, syncs and copies the store, makes and drops a second index. What a call
/// acknowledged is in the ledger. Ends with kWrongAnswer when a call fails.
[[noreturn]] void work_until_killed(const Plan& plan, Ledger& ledger, std::uint64_t seed);

/// Opens the store, and closes it again, until it is killed or has done it twice.
[[noreturn]] void reopen_until_killed(const Plan& plan, Ledger& ledger);

/// Notes `words` and ends the process with kWrongAnswer.
[[noreturn]] void wrong_answer(Ledger& ledger, const std::string& words);

}  // namespace vicinal::testing
