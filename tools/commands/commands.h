// One function a subcommand: it adds the subcommand to `app`; running it leaves its exit code in
// `exit_code`.
#pragma once

#include <CLI/CLI.hpp>

namespace vicinal::tools {

void add_import(CLI::App& app, int& exit_code);
void add_search(CLI::App& app, int& exit_code);
void add_get(CLI::App& app, int& exit_code);
void add_erase(CLI::App& app, int& exit_code);
void add_list(CLI::App& app, int& exit_code);
void add_drop(CLI::App& app, int& exit_code);
void add_dump(CLI::App& app, int& exit_code);
void add_validate(CLI::App& app, int& exit_code);
void add_stats(CLI::App& app, int& exit_code);
void add_recall(CLI::App& app, int& exit_code);
void add_rebuild(CLI::App& app, int& exit_code);
void add_repair(CLI::App& app, int& exit_code);
void add_backup(CLI::App& app, int& exit_code);
void add_checkpoint(CLI::App& app, int& exit_code);
void add_convert(CLI::App& app, int& exit_code);
void add_cpu(CLI::App& app, int& exit_code);
void add_demo(CLI::App& app, int& exit_code);
void add_save(CLI::App& app, int& exit_code);
void add_load(CLI::App& app, int& exit_code);

}  // namespace vicinal::tools
