// The words that options and outputs use for the public enums, and how CLI11 reads them.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <optional>
#include <string>

#include "vicinal/types.h"

namespace vicinal::tools {

const char* metric_name(Metric metric);
const char* quantization_name(Quantization quantization);
const char* durability_name(Durability durability);
const char* outcome_name(UpsertOutcome outcome);
const char* path_name(SearchPath path);

/// Words accepted on the command line; the first of each value is the one printed.
const std::map<std::string, Metric>& metric_words();
const std::map<std::string, Quantization>& quantization_words();
const std::map<std::string, Durability>& durability_words();

/// Options that take one of the words; the value stays empty when the option is not given.
CLI::Option* add_metric(CLI::App& app, std::optional<Metric>& metric);
CLI::Option* add_quantization(CLI::App& app, std::optional<Quantization>& quantization);
CLI::Option* add_durability(CLI::App& app, Durability& durability);

}  // namespace vicinal::tools
