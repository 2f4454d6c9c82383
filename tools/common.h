// What every subcommand needs: where the store is, opening it, errors and exit codes.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "tools/matrix/matrix.h"
#include "vicinal/index.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/store.h"

namespace vicinal::tools {

/// Exit codes of `vicinal`. Usage errors are CLI11's: 100 and above.
enum ExitCode : int { kExitOk = 0, kExitFailure = 1, kExitCannotOpen = 2 };

/// For the end of every --help.
inline constexpr const char* kExitCodesHelp =
    "Exit codes: 0 done; 1 an error, or problems found; 2 the store or index cannot be opened; 100 "
    "and above: usage.";

struct StoreArguments {
  std::string store;
  std::string index;  ///< empty: "default", or the only one
};

/// Adds --store and, unless `with_index` is false, --index.
void add_store_arguments(CLI::App& app, StoreArguments& arguments, bool with_index = true);

/// Adds the subcommand `name` on one index, with `at` of its Arguments for the store's options; the
/// caller adds the others. Running it leaves the answer of `run` in `exit_code`.
template <class Arguments>
std::pair<CLI::App*, std::shared_ptr<Arguments>> add_index_command(CLI::App& app, const char* name,
                                                                   const char* description,
                                                                   int (*run)(const Arguments&),
                                                                   int& exit_code) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(name, description);
  command->footer(kExitCodesHelp);
  add_store_arguments(*command, arguments->at);
  command->callback([arguments, run, &exit_code] { exit_code = run(*arguments); });
  return {command, arguments};
}

/// `text`, of which files may have written some, on one line and without what a terminal would obey.
std::string printable(std::string text);
/// Writes "vicinal: message" to standard error, printable; answers `code`.
int print_error(const Status& status, int code = kExitFailure);

/// Closes `store`, which writes a checkpoint; what was done was told before. A failure is told as
/// the checkpoint's, with `kept`: what is stored all the same. Answers kExitOk or kExitFailure.
int close_store(Store& store, const std::string& kept);

/// Opens a file of vectors and says what is done to its numbers.
Result<std::unique_ptr<matrix::Reader>> open_rows(const std::string& path,
                                                  const matrix::Wanted& wanted);

/// Flushes standard output. Answers `code`, or kExitFailure with a message when the output did not
/// take everything.
int finish_output(int code);

struct OpenMode {
  bool read_only = true;
  bool salvage = false;
  bool background = true;
  unsigned threads = 0;
};

struct Opened {
  Store store;
  Index index;
  std::string name;
};

/// Opens an existing store.
Result<Store> open_store(const std::string& path, const OpenMode& mode);
/// Opens an existing index of an existing store, showing progress.
Result<Opened> open_index(const StoreArguments& arguments, const OpenMode& mode);
/// Opens an existing index of an open store, showing progress. One who only reads is told what a
/// checkpoint would spare.
Result<Index> open_index(Store& store, const std::string& name, const OpenMode& mode);

/// `given`, or "default", or the only index there is.
/// Errors: kNotFound  none, or which is unclear.
Result<std::string> choose_index(const Store& store, const std::string& given);

}  // namespace vicinal::tools
