// One run of the comparison over one data set.
//
// How: builds that are only timed happen in children, one after the other; the graphs that answer
// queries are then built here with the most threads, and take turns: at every ef, and with every
// few of the rows held out for single inserts, each engine goes once per repetition, so that a slow
// minute of the machine hits all alike. The fastest repetition counts. Of several graphs built the
// same way with different seeds (--graphs) the table of builds has the medians (of an even number the
// mean of the middle two): the recall of one graph of a million vectors is luck to half a percent at a
// small ef.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/compare/dataset.h"
#include "bench/compare/engine.h"
#include "bench/vicinal_bench/common.h"
#include "vicinal/status.h"

namespace vicinal::bench {

struct RunOptions {
  std::vector<std::string> engines = {"vicinal", "vicinal-f32", "hnswlib", "faiss"};
  std::vector<unsigned> threads = {1, 2};
  std::vector<std::size_t> ef = {10, 20, 40, 80, 120, 200, 400};
  std::size_t k = 10;
  std::vector<std::size_t> also_k = {};  ///< other k that the same graphs are asked for
  int repetitions = 5;
  /// Last rows, left out of builds and inserted singly: half of them by engines in turns, then half
  /// by each engine alone (Vicinal: in turns with a small index of its own).
  std::size_t held_out = 1000;
  unsigned graphs = 1;  ///< built by each engine and way with the most threads
  std::size_t M = 16;
  std::size_t ef_construction = 200;
  std::string scratch;  ///< folder for the store that is measured
  bool quick = false;   ///< only the most threads, no row-by-row builds, no stores
  double seconds = 5;   ///< that each engine is searched for in each phase of measure_live()
};

/// The ef at which graphs that were built differently are compared.
inline constexpr std::size_t kQualityEf = 80;
/// Rows of the small index that the growth of insert cost starts from.
inline constexpr std::size_t kSmallRows = 10'000;

/// An engine by the name that the options use; null for another name or when it cannot be made.
std::unique_ptr<Engine> make_engine(const std::string& name, const Shape& shape,
                                    Feeding feeding = Feeding::kBatch);
/// True when `name` is given the rows as they are, false when it needs unit vectors.
bool takes_raw_rows(const std::string& name);

/// Everything measured, in the layout that report.h reads.
Result<Json> measure(const Dataset& data, const RunOptions& options);

/// A store on disk: opening it against reading its file, and memory with and without the vectors.
/// Runs in a child.
Result<Json> measure_store(const Dataset& data, const RunOptions& options);

/// Batches and single upserts made durable, against the same batches in memory and against a commit
/// of next to nothing. Runs in a child. Null for few rows.
Result<Json> measure_durable(const Dataset& data, const RunOptions& options);

/// The first 2,000 rows, 20 times each, inserted singly by one thread: the share of them that a
/// search by themselves finds, and what inserts cost beside those of as many other rows. Each engine
/// in a child: the value of "copies" in measure().
Result<Json> measure_copies(const Dataset& data, const RunOptions& options);

/// Searches of one thread at rest, beside rows erased and beside a thread that inserts, in turns:
/// the value of "live" that live_section() reads. Of options.engines "vicinal" and "hnswlib" take
/// part, the latter without a lock and behind a shared mutex. Runs in a child, which hnswlib
/// without a lock may crash.
Result<Json> measure_live(const Dataset& data, const RunOptions& options);

struct Pass {
  double recall = 0;
  double seconds = 0;
};
/// All queries once, on this thread.
Pass run_queries(Engine& engine, const matrix::Matrix& queries, const matrix::Truth& truth,
                 std::size_t k, std::size_t ef);

/// A line on standard error, for whoever waits.
void say(const std::string& line);

}  // namespace vicinal::bench
