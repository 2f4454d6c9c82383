// The engine's numbers as JSON and as tables for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vicinal/index.h"
#include "vicinal/options.h"

namespace vicinal::tools {

using Json = nlohmann::ordered_json;

Json to_json(const IndexOptions& options);
Json to_json(const Stats& stats);
Json to_json(const ValidateReport& report);
Json to_json(const RepairResult& result);
Json to_json(const Index::NodeView& node);

/// A table with a line a number.
std::string describe(const Stats& stats);
std::string describe(const ValidateReport& report);

}  // namespace vicinal::tools
