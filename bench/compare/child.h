// Runs a measurement in a forked child, so that its memory starts clean and is gone afterwards.
#pragma once

#include <cstdint>
#include <functional>

#include "bench/vicinal_bench/common.h"
#include "vicinal/status.h"

namespace vicinal::bench {

/// What `work` answers, or why the child ended without an answer.
/// Threads: call while this process has one thread only: a child of fork() has no other.
Result<Json> in_child(const std::function<Result<Json>()>& work);

/// Bytes of memory this process holds now, after giving back what malloc keeps.
std::uint64_t resident_bytes();

}  // namespace vicinal::bench
