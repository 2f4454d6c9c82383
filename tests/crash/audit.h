// Audit: after a crash, what the store says against what the ledger says.
#pragma once

#include <string>

#include "tests/crash/ledger.h"
#include "tests/crash/plan.h"

namespace vicinal::testing {

/// Opens the store and compares: every acknowledged state is there exactly; a call that was cut off
/// is there as a whole or not at all; no label is there that nobody stored; the graph is sound down
/// to its records; the second index and the copy are whole where they were acknowledged.
/// Settles in the ledger what was cut off, and notes there what was looked at. Empty, or what is
/// wrong.
/// `with_recall`: also builds an index of what is live and compares.
std::string audit(const Plan& plan, Ledger& ledger, bool with_recall);

}  // namespace vicinal::testing
