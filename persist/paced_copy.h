// write_paced(): a copy whose dirty pages hold up nobody's commits.
//
// A file written as fast as it can be leaves the system hundreds of megabytes to write back, and a
// commit's sync waits behind them. So a backup syncs what it has written every few megabytes.
//
// Ownership: both descriptors stay the caller's.
// Threads: any.
#pragma once

namespace vicinal::persist {

/// Reads the pipe `from` to its end, whatever happens, and writes what comes to `to`, the last of
/// it synced. Returns 0 or the errno of the first step that failed.
int write_paced(int from, int to) noexcept;

}  // namespace vicinal::persist
