// What a run measured, as tables in Markdown and as a plot. Works from the JSON of measure() alone,
// so that results of several runs can be put side by side later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "vicinal/status.h"

namespace vicinal::bench {

/// The recalls at which speeds are compared.
inline constexpr double kRecalls[] = {0.90, 0.95, 0.99};

struct Speed {
  double qps = 0;
  bool at_smallest_ef = false;  ///< the smallest ef measured gives more recall than asked for
};

/// Queries per second at `recall`: between the two neighboring points the logarithm of the speed
/// is taken as linear in recall. Empty when no ef measured reaches it, or the engine is not there.
std::optional<Speed> speed_at(const Json& result, const std::string& engine, double recall);

/// The line of `list` ("builds", "inserts") for an engine, and for a way and a number of threads
/// where these are given; null when there is none.
const Json* find_line(const Json& result, const char* list, const std::string& engine,
                      const std::string& way = "", unsigned threads = 0);

/// Seconds from opening a store until the first query was answered and all was there, of a line of
/// result["store"]. Results of builds that loaded after opening say so beside "open_seconds".
double opened_seconds(const Json& line);

/// All tables of one data set.
std::string dataset_tables(const Json& result);
/// Every target of the project's speed issue with the value measured and whether it is reached. A
/// speed that is not at equal recall has a star, as in dataset_tables(), and a line below says so.
std::string targets_table(const std::vector<Json>& results);

/// What the results with a "live" were in motion, one table for all, under a heading; empty when
/// none has it.
std::string live_section(const std::vector<Json>& results);

/// An SVG of recall against speed, drawn by gnuplot.
/// Errors: kNotFound without gnuplot.
Status write_plot(const Json& result, const std::string& path);

/// The engine's name in tables.
std::string engine_title(const std::string& engine);

}  // namespace vicinal::bench
