// An engine in the comparison, with what was measured of it so far.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/compare/dataset.h"
#include "bench/compare/engine.h"
#include "bench/compare/measure.h"
#include "bench/vicinal_bench/common.h"

namespace vicinal::bench {

struct Contender {
  std::string name;
  std::unique_ptr<Engine> engine;
  const matrix::Matrix* base = nullptr;
  const matrix::Matrix* query = nullptr;
  Latencies inserts;
  std::vector<Pass> best = {};  ///< per ef
};

/// The ef that make a difference for `k`: of `all` those above it, and a few at least.
std::vector<std::size_t> widths_for(std::size_t k, const std::vector<std::size_t>& all);

/// Every engine at every width, in turns: a line an engine, with recall, speed and bytes by ef.
Json query_in_turns(const Dataset& data, const RunOptions& options, std::size_t k,
                    const std::vector<std::size_t>& widths, std::vector<Contender>& all);

}  // namespace vicinal::bench
