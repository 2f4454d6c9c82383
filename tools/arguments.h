// Arguments of the programs, read strictly: whole numbers, real numbers, texts.
//
// What: CLI11 reads "" as 0, 010 as 8 and -1 as 2^64-1, takes [1,2] for two numbers and what
// follows `--name=` for its value. A script's mistake must not become a number, so the options of
// `vicinal` and `vicinal-bench` are made by these functions only.
// Ownership: targets outlive the app that they were added to.
// Threads: one.
//
// Invariants (tests/tools/cli_numbers.sh):
//   A1  A whole number is decimal digits in its range, a real number is a finite decimal one in its
//       range; anything else is a usage error that has the text and the range.
//   A2  An empty text is a usage error.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "tools/matrix/whole_number.h"

namespace vicinal::tools {

using matrix::WholeRange;

/// Both ends included.
struct RealRange {
  double low = 0;
  double high = std::numeric_limits<double>::max();
};

/// Most rows that an index holds (FORMAT.md): the bound of everything that counts rows.
inline constexpr std::uint64_t kMostRows = (1ull << 31) - 1;
inline constexpr WholeRange kRows = {0, kMostRows};
inline constexpr WholeRange kSomeRows = {1, kMostRows};
inline constexpr WholeRange kThreads = {0, 4096};
inline constexpr WholeRange kEf = {0, 100000};

namespace internal {

/// The app's option `name`, whose values go to `take`; `shown` (may be empty) gives its default.
CLI::Option* add_whole(CLI::App& app, const std::string& name, WholeRange range,
                       const std::string& help, std::function<void(std::uint64_t)> take,
                       std::function<std::string()> shown);
CLI::Option* add_real(CLI::App& app, const std::string& name, RealRange range,
                      const std::string& help, std::function<void(double)> take,
                      std::function<std::string()> shown);
CLI::Option* add_wholes(CLI::App& app, const std::string& name, WholeRange range,
                        const std::string& help, bool by_comma,
                        std::function<void(std::vector<std::uint64_t>)> take);

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {
  using Value = T;
};

template <class T>
auto taker(T& target) {
  if constexpr (IsOptional<T>::value) {
    return [&target](auto value) { target = static_cast<typename IsOptional<T>::Value>(value); };
  } else {
    return [&target](auto value) { target = static_cast<T>(value); };
  }
}

std::string plain(double value);

}  // namespace internal

/// An option (or argument) that takes one whole number of `range`, which `target` (an unsigned
/// integer or an optional one) can hold.
template <class T>
CLI::Option* add_whole(CLI::App& app, const std::string& name, T& target, WholeRange range,
                       const std::string& help) {
  std::function<std::string()> shown;
  if constexpr (!internal::IsOptional<T>::value) {
    shown = [&target] { return std::to_string(target); };
  }
  return internal::add_whole(app, name, range, help, internal::taker(target), std::move(shown));
}

/// The same for a real number: decimal, with a point or an exponent if need be.
template <class T>
CLI::Option* add_real(CLI::App& app, const std::string& name, T& target, RealRange range,
                      const std::string& help) {
  std::function<std::string()> shown;
  if constexpr (!internal::IsOptional<T>::value) {
    shown = [&target] { return internal::plain(static_cast<double>(target)); };
  }
  return internal::add_real(app, name, range, help, internal::taker(target), std::move(shown));
}

/// Any number of whole numbers, an argument each.
template <class T>
CLI::Option* add_wholes(CLI::App& app, const std::string& name, std::vector<T>& target,
                        WholeRange range, const std::string& help) {
  return internal::add_wholes(app, name, range, help, false, [&target](auto values) {
    target.assign(values.begin(), values.end());
  });
}

/// One argument with whole numbers by comma: 10,20,40.
template <class T>
CLI::Option* add_whole_list(CLI::App& app, const std::string& name, std::vector<T>& target,
                            WholeRange range, const std::string& help) {
  CLI::Option* option = internal::add_wholes(app, name, range, help, true, [&target](auto values) {
    target.assign(values.begin(), values.end());
  });
  std::string shown;
  for (const T value : target) shown += (shown.empty() ? "" : ",") + std::to_string(value);
  return option->default_str(shown);
}

/// A text that is not empty: a path, a name.
CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& target,
                      const std::string& help);

/// Parses; answers the code to end with unless all is well.
/// Errors: also `--name=` with nothing behind it, and a list in brackets, which CLI11 would read as
///         something else.
std::optional<int> parse(CLI::App& app, int argc, char** argv);

}  // namespace vicinal::tools
