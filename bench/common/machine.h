// What a document of measurements says about where and when they were taken.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vicinal/status.h"

namespace vicinal::bench {

/// CPU, caches, memory, kernel, huge pages, compiler, kernels' target, date and load, each a
/// string.
nlohmann::ordered_json describe_machine();

/// describe_machine()'s object, then `commit` and `command`, as a table in Markdown.
std::string machine_table(const nlohmann::ordered_json& machine, const std::string& commit,
                          const std::string& command);

/// Replaces the file `path` with `text` in one step, so that a reader or a crash never finds half.
Status replace_file(const std::string& path, const std::string& text);

}  // namespace vicinal::bench
