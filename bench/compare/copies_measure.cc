// Few values, each stored many times: who finds a value by itself, and what inserting copies costs.
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "bench/compare/child.h"
#include "bench/compare/measure.h"

namespace vicinal::bench {
namespace {

constexpr std::size_t kMostValues = 2'000;
constexpr std::size_t kCopies = 20;
constexpr std::size_t kEf = 64;

/// Rows of `rows` in turn, from the first to `values`, until there are `count`, on this thread.
Result<double> inserts_per_second(Engine& engine, const matrix::Matrix& rows, std::size_t values,
                                  std::size_t count) {
  const Clock::time_point start = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    if (Status s = engine.insert(i, rows.row(i % values).data()); !s.ok()) return s;
  }
  return static_cast<double>(count) / seconds_since(start);
}

/// The share of the values of which a search by the value finds a copy.
double found_share(Engine& engine, const matrix::Matrix& rows, std::size_t values, std::size_t k) {
  std::vector<Label> found(k);
  std::size_t hits = 0;
  for (std::size_t v = 0; v < values; ++v) {
    const auto wanted = rows.row(v);
    const std::size_t n = engine.search(wanted.data(), k, kEf, found.data());
    hits += std::any_of(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(n),
                        [&](Label label) {
                          const auto row = rows.row(label % values);
                          return std::equal(wanted.begin(), wanted.end(), row.begin(), row.end());
                        })
                ? 1
                : 0;
  }
  return static_cast<double>(hits) / static_cast<double>(values);
}

Result<Json> line_of(const std::string& name, const Dataset& data, const RunOptions& options,
                     std::size_t values) {
  const matrix::Matrix& base = takes_raw_rows(name) ? data.base : data.unit_base;
  const Shape shape{.dimension = base.dimension,
                    .capacity = std::max<std::size_t>(values * kCopies, base.rows),
                    .M = options.M,
                    .ef_construction = options.ef_construction};
  const std::unique_ptr<Engine> copied = make_engine(name, shape);
  const std::unique_ptr<Engine> distinct = make_engine(name, shape);
  if (copied == nullptr || distinct == nullptr) {
    return Status::invalid_argument(name + ": cannot be made");
  }
  const Result<double> of_copies = inserts_per_second(*copied, base, values, values * kCopies);
  if (!of_copies.ok()) return of_copies.status();
  const std::size_t rows = std::min<std::size_t>(values * kCopies, base.rows);
  const Result<double> of_others = inserts_per_second(*distinct, base, rows, rows);
  if (!of_others.ok()) return of_others.status();
  return Json{{"engine", name},
              {"recall", rounded(found_share(*copied, base, values, options.k), 5)},
              {"inserts_per_s", *of_copies},
              {"distinct_rows", rows},
              {"distinct_inserts_per_s", *of_others}};
}

}  // namespace

Result<Json> measure_copies(const Dataset& data, const RunOptions& options) {
  const std::size_t values = std::min<std::size_t>(kMostValues, data.base.rows);
  Json lines = Json::array();
  for (const std::string& name : options.engines) {
    say(fmt::format("{}: {} values x {}, {}", data.name, values, kCopies, name));
    Result<Json> line = in_child([&] { return line_of(name, data, options, values); });
    if (!line.ok()) return line;
    lines.push_back(std::move(*line));
  }
  return Json{{"values", values}, {"copies", kCopies}, {"ef", kEf}, {"lines", std::move(lines)}};
}

}  // namespace vicinal::bench
