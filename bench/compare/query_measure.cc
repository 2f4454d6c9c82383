// Queries of the comparison: recall, speed, and the bytes of rows that they compare.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "bench/compare/contender.h"

namespace vicinal::bench {
namespace {

/// Mean over some queries.
double row_bytes(Contender& contender, std::size_t k, std::size_t ef) {
  const std::uint64_t queries = std::min<std::uint64_t>(contender.query->rows, 200);
  double bytes = 0;
  for (std::uint64_t q = 0; q < queries; ++q) {
    bytes += static_cast<double>(
        contender.engine->row_bytes_read(contender.query->row(q).data(), k, ef));
  }
  return bytes / static_cast<double>(queries);
}

}  // namespace

std::vector<std::size_t> widths_for(std::size_t k, const std::vector<std::size_t>& all) {
  std::vector<std::size_t> widths;
  std::copy_if(all.begin(), all.end(), std::back_inserter(widths),
               [&](std::size_t ef) { return ef > k; });
  widths.insert(widths.begin(), k);
  for (const std::size_t times : {2, 4, 8}) {
    if (widths.back() < times * k) widths.push_back(times * k);
  }
  return widths;
}

Pass run_queries(Engine& engine, const matrix::Matrix& queries, const matrix::Truth& truth,
                 std::size_t k, std::size_t ef) {
  std::vector<Label> found(queries.rows * k);
  std::vector<std::size_t> counts(queries.rows);
  Pass pass;
  const Clock::time_point start = Clock::now();
  for (std::uint64_t q = 0; q < queries.rows; ++q) {
    counts[q] = engine.search(queries.row(q).data(), k, ef, found.data() + q * k);
  }
  pass.seconds = seconds_since(start);
  for (std::uint64_t q = 0; q < queries.rows; ++q) {
    pass.recall += matrix::overlap(truth.row(q), {found.data() + q * k, counts[q]}, k);
  }
  pass.recall /= static_cast<double>(queries.rows);
  return pass;
}

Json query_in_turns(const Dataset& data, const RunOptions& options, std::size_t k,
                    const std::vector<std::size_t>& widths, std::vector<Contender>& all) {
  for (Contender& contender : all) contender.best.assign(widths.size(), {});
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    say(fmt::format("{}: queries, k {}, repetition {} of {}", data.name, k, repetition + 1,
                    options.repetitions));
    for (std::size_t e = 0; e < widths.size(); ++e) {
      for (Contender& contender : all) {
        // The caller looks as well, and drops what is answered.
        if (!check_interrupted().ok()) return Json::array();
        const Pass pass =
            run_queries(*contender.engine, *contender.query, data.truth, k, widths[e]);
        Pass& best = contender.best[e];
        if (repetition == 0 || pass.seconds < best.seconds) best = pass;
      }
    }
  }
  Json lines = Json::array();
  for (Contender& contender : all) {
    Json points = Json::array();
    for (std::size_t e = 0; e < widths.size(); ++e) {
      const double qps = static_cast<double>(data.query.rows) / contender.best[e].seconds;
      points.push_back({{"ef", widths[e]},
                        {"recall", rounded(contender.best[e].recall, 5)},
                        {"qps", rounded(qps, 1)},
                        {"row_bytes", rounded(row_bytes(contender, k, widths[e]), 0)}});
    }
    lines.push_back({{"engine", contender.name}, {"points", std::move(points)}});
  }
  return lines;
}

}  // namespace vicinal::bench
