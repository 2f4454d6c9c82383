// The decision record being measured: one JSON object that is on disk after every step, and from
// which all tables and plots are made.
//
// Owns nothing but the object.
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "vicinal/status.h"

namespace vicinal::bench {

struct Settings {
  std::uint32_t dimension = 384;
  std::uint32_t M = 16;
  std::uint32_t ef_construction = 200;
  std::size_t ef_search = 200;
  std::size_t k = 10;
  std::uint64_t seed = 7;
  unsigned threads = 0;         ///< of batches and rebuilds; 0: one per CPU
  std::uint64_t batch = 100;    ///< rows of the batch of tables 1 and 2
  std::uint64_t batches = 5;    ///< incremental ones; their median counts
  std::uint64_t singles = 300;  ///< single upserts
  std::uint64_t queries = 500;  ///< searches of the recall, and of the idle latency at least
  double window_s = 3;          ///< how long searches are timed beside other work
  /// Measure nothing that would not end in time; 0 and below: nothing more at all.
  std::optional<double> budget_s;
  std::vector<std::uint64_t> sizes;
  std::vector<std::uint64_t> crossover_sizes;
  std::vector<std::string> shapes = {"uniform", "clustered"};
  std::string scratch = ".";

  IndexOptions index_options(bool rebuild_on_upsert) const;
};

struct Outputs {
  std::string json;      ///< empty: none
  std::string markdown;  ///< empty: standard output at the end
  std::string plots;     ///< folder of the SVG files; empty: none
};

class Record {
 public:
  Record(const Settings& settings, const Outputs& outputs, const std::string& commit,
         const std::string& command);

  /// The object of one size, made when it is not there.
  Json& at(const std::string& shape, std::uint64_t size);
  Json& crossover() { return json_["crossover"]; }
  /// Everything was measured, but for what fits() noted.
  void finish() { json_["complete"] = true; }

  /// True when work of about `seconds` would end within the budget. Otherwise it is noted that
  /// `part` of `size` is missing, and why.
  bool fits(const std::string& shape, const std::string& part, std::uint64_t size, double seconds);

  /// Writes the JSON, the document and the plots of what is known by now.
  Status save() const;
  const Json& json() const { return json_; }

 private:
  Json json_;
  Outputs outputs_;
  std::optional<double> budget_s_;
  Clock::time_point start_ = Clock::now();
};

/// Reads a file that Record::save() wrote.
Result<Json> read_record(const std::string& path);
/// Writes the document and the plots of a record.
Status write_outputs(const Json& record, const Outputs& outputs);

}  // namespace vicinal::bench
