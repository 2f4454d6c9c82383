// The engine's numbers as JSON and as tables for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vicinal/index.h"
#include "vicinal/options.h"
#include "vicinal/stored_stats.h"

namespace vicinal::tools {

using Json = nlohmann::ordered_json;

/// `json` as a line of text. Strings that are not UTF-8, as paths may be, have their bytes beyond
/// ASCII written as \xNN, so that the text is JSON whatever it holds.
std::string json_text(const Json& json);

Json to_json(const IndexOptions& options);
Json to_json(const Stats& stats);
Json to_json(const StoredStats& stats);
Json to_json(const ValidateReport& report);
Json to_json(const RepairResult& result);
Json to_json(const Index::NodeView& node);

/// A table with a line a number.
std::string describe(const Stats& stats);
std::string describe(const StoredStats& stats);
std::string describe(const ValidateReport& report);

}  // namespace vicinal::tools
