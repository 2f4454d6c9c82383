#include "tools/arguments.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

namespace vicinal::tools {
namespace {

std::uint64_t read_whole(const std::string& name, std::string_view text, WholeRange range) {
  const std::optional<std::uint64_t> value = matrix::whole_number(text, range);
  if (!value.has_value()) throw CLI::ValidationError(name, matrix::not_whole(text, range));
  return *value;
}

double read_real(const std::string& name, std::string_view text, RealRange range) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool good = error == std::errc() && stop == end && std::isfinite(value);
  if (good && value >= range.low && value <= range.high) return value;
  throw CLI::ValidationError(
      name, fmt::format("\"{}\" is not a number from {} to {}", text, range.low, range.high));
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// The option's name as the user wrote it, or would.
std::string shown_name(const std::string& name) {
  const std::size_t comma = name.find_last_of(',');
  return comma == std::string::npos ? name : name.substr(comma + 1);
}

bool bracketed(std::string_view text) {
  return text.size() >= 2 && text.front() == '[' && text.back() == ']' &&
         text.find_first_not_of("0123456789,- ", 1) == text.size() - 1;
}

/// What CLI11 would read as something else, in words; empty when nothing.
std::string misread(std::string_view text, bool may_be_option) {
  if (may_be_option && text.substr(0, 2) == "--" && text.size() > 2 &&
      text.find('=') == text.size() - 1) {
    return fmt::format("{}: the value is empty", text.substr(0, text.size() - 1));
  }
  if (bracketed(text)) return matrix::not_whole(text);
  return {};
}

/// A flag is given or not: --json=7 is nothing.
void take_no_flag_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) option->disable_flag_override();
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    take_no_flag_values(*command);
  }
}

}  // namespace

namespace internal {

CLI::Option* add_whole(CLI::App& app, const std::string& name, WholeRange range,
                       const std::string& help, std::function<void(std::uint64_t)> take,
                       std::function<std::string()> shown) {
  const CLI::callback_t read = [take = std::move(take), name = shown_name(name),
                                range](const CLI::results_t& given) {
    take(read_whole(name, given.front(), range));
    return true;
  };
  return app.add_option(name, read, help, false, std::move(shown))->type_name("N");
}

CLI::Option* add_real(CLI::App& app, const std::string& name, RealRange range,
                      const std::string& help, std::function<void(double)> take,
                      std::function<std::string()> shown) {
  const CLI::callback_t read = [take = std::move(take), name = shown_name(name),
                                range](const CLI::results_t& given) {
    take(read_real(name, given.front(), range));
    return true;
  };
  return app.add_option(name, read, help, false, std::move(shown))->type_name("NUMBER");
}

CLI::Option* add_wholes(CLI::App& app, const std::string& name, WholeRange range,
                        const std::string& help, bool by_comma,
                        std::function<void(std::vector<std::uint64_t>)> take) {
  const CLI::callback_t read = [take = std::move(take), name = shown_name(name), range,
                                by_comma](const CLI::results_t& given) {
    std::vector<std::uint64_t> values;
    for (const std::string& text : given) {
      if (!by_comma) {
        values.push_back(read_whole(name, text, range));
        continue;
      }
      for (const std::string_view part : split(text, ',')) {
        values.push_back(read_whole(name, part, range));
      }
    }
    take(std::move(values));
    return true;
  };
  CLI::Option* option = app.add_option(name, read, help)->type_name(by_comma ? "N,N,..." : "N");
  if (!by_comma) option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
  return option;
}

std::string plain(double value) { return fmt::format("{}", value); }

}  // namespace internal

CLI::Option* add_text(CLI::App& app, const std::string& name, std::string& target,
                      const std::string& help) {
  const CLI::callback_t read = [&target, name = shown_name(name)](const CLI::results_t& given) {
    if (given.front().empty()) throw CLI::ValidationError(name, "is empty");
    target = given.front();
    return true;
  };
  return app.add_option(name, read, help, false, [&target] { return target; })->type_name("TEXT");
}

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    bool options = true;
    for (int i = 1; i < argc; ++i) {
      const std::string problem = misread(argv[i], options);
      if (!problem.empty()) throw CLI::ValidationError(problem);
      options = options && std::string_view(argv[i]) != "--";
    }
    take_no_flag_values(app);
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem);
  }
}

}  // namespace vicinal::tools
