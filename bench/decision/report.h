// The decision record's document and plots, made from the JSON of a run alone. What was not
// measured says so in its cell.
#pragma once

#include <optional>
#include <string>

#include "bench/vicinal_bench/common.h"
#include "vicinal/status.h"

namespace vicinal::bench {

/// The whole of DECISION.md but for the plots.
std::string decision_document(const Json& record);

/// Cost of an upsert in a batch against size, log-log, as SVG.
/// Errors: kNotFound without gnuplot.
Status write_decision_plot(const Json& record, const std::string& shape, const std::string& path);

// The tables, one a function; `shape` is "uniform" or "clustered".
std::string rebuild_table(const Json& record, const std::string& shape);
std::string incremental_table(const Json& record, const std::string& shape);
std::string crossover_table(const Json& record, const std::string& shape);
std::string trigger_table(const Json& record, const std::string& shape);
std::string quality_table(const Json& record, const std::string& shape);

/// The smallest measured size from which on incremental wins at every measured size; empty when it
/// loses at the largest or nothing was measured.
std::optional<std::uint64_t> wins_from(const Json& record, const std::string& shape,
                                       const std::string& batch);

/// The number at a path such as {"store", "rebuild", "batch_s"} of one size.
std::optional<double> value_at(const Json& record, const std::string& shape, std::uint64_t size,
                               std::initializer_list<const char*> path);

/// `value` in three significant digits, or "not measured".
std::string shown(std::optional<double> value, double factor = 1);

}  // namespace vicinal::bench
