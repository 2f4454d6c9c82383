// copy_paced(): a copy whose dirty pages hold up nobody's commits.
//
// A file written as fast as it can be leaves the system hundreds of megabytes to write back, and a
// commit's sync waits behind them. So a backup syncs what it has written every few megabytes.
//
// Ownership: the file and what produce() uses stay the caller's; the socket is its own.
// Threads: any; it starts one, which ends before it returns.
#pragma once

#include <functional>

namespace vicinal::persist {

/// Calls produce(fd), which writes to the socket `fd` and returns 0 or a code of its own, and brings
/// what comes to the file `to`, all of it synced. Returns 0, the errno of the file, or produce()'s
/// code: when the file fails, fd does (EPIPE). Signals are blocked meanwhile, for the writing thread
/// and those it starts.
int copy_paced(int to, const std::function<int(int fd)>& produce);

}  // namespace vicinal::persist
