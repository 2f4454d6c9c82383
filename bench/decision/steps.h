// Steps that the measurements share. Labels: [0, size) are the index's rows, kFirstExtra and up are
// what is added for a measurement.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "bench/decision/record.h"
#include "bench/decision/vectors.h"

namespace vicinal::bench {

inline constexpr Label kFirstExtra = Label{1} << 32;

/// Batch options whose progress ends the work when the user asks to stop.
BatchOptions interruptible();

/// Adds the labels [from, to).
Status grow(Index index, const Vectors& vectors, std::uint64_t from, std::uint64_t to);

/// mean, p50, p99 and max of single calls in microseconds.
Json summary(const Latencies& latencies);

/// Searches on this thread, one query after the other, while `go_on`; at least `least`.
Result<Latencies> time_searches(const Index& index, const Settings& settings,
                                const std::vector<float>& queries, std::size_t least,
                                const std::function<bool()>& go_on);

/// Searches on this thread while nothing else runs: all queries once, which no time is taken of, then
/// as long as beside other work. The base that those are compared with has to be as warm.
Result<Latencies> time_idle_searches(const Index& index, const Settings& settings,
                                     const std::vector<float>& queries);

/// Searches on this thread while `work` runs on another, again and again until window_s is over or
/// it answers false. `work` gets a flag that asks it to end early.
/// Errors: also those of `work`.
Result<Latencies> time_searches_beside(
    const Index& index, const Settings& settings, const std::vector<float>& queries,
    const std::function<Result<bool>(const std::atomic<bool>& stop)>& work);

/// Recall@k of search() at ef_search against exact search in the same index.
Result<double> recall_of(const Index& index, const Settings& settings,
                         const std::vector<float>& queries);

/// Batches and single upserts of new labels, and searches beside a stream of single upserts; all
/// that was added is erased again. `next` is the first label to use, and is moved on.
Result<Json> measure_incremental(Index index, const Settings& settings, const Vectors& vectors,
                                 const std::vector<float>& queries, Label* next);

/// Forgets the most memory this process has held until now, and tells what it holds, in MiB.
double reset_peak_rss_mb();

}  // namespace vicinal::bench
