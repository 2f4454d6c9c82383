// The words that options and outputs use for the public enums, and how CLI11 reads them.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "vicinal/types.h"

namespace vicinal::tools {

/// Words accepted on the command line; metric_name() and its like (vicinal/types.h) print one of
/// them.
const std::map<std::string, Metric>& metric_words();
const std::map<std::string, Quantization>& quantization_words();
const std::map<std::string, Storage>& storage_words();
const std::map<std::string, Durability>& durability_words();

/// Options that take one of the words; the value stays empty when the option is not given.
CLI::Option* add_metric(CLI::App& app, std::optional<Metric>& metric);
CLI::Option* add_quantization(CLI::App& app, std::optional<Quantization>& quantization);
CLI::Option* add_storage(CLI::App& app, std::optional<Storage>& storage);
/// --format and --array of a file of vectors (matrix::Wanted).
CLI::Option* add_format(CLI::App& app, std::string& format);
CLI::Option* add_array(CLI::App& app, std::string& array, const std::string& usual);
CLI::Option* add_durability(CLI::App& app, Durability& durability);

}  // namespace vicinal::tools
