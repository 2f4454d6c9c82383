// Workload: a seeded mix of everything that writes, run on a store below a device's folder.
//
// What: single and batch upserts, erasures, checkpoints, slices of repair, rebuilds, dropped indexes,
// backups, growing maps, closing and opening again; alone and by several writers.
// Ownership: the device is the caller's.
// Threads: makes its own, which have ended when it returns.
#pragma once

#include <cstdint>
#include <string>

#include "tests/power/device.h"
#include "tests/power/history.h"

namespace vicinal::testing {

inline constexpr const char* kPowerStore = "/in/folders/store";  ///< below the root

/// Runs `calls` calls or so.
History run_workload(Device& device, Durability durability, std::uint64_t seed, std::size_t calls);

}  // namespace vicinal::testing
