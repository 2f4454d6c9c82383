#include "tools/common.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tools/progress.h"

namespace vicinal::tools {

void add_store_arguments(CLI::App& app, StoreArguments& arguments, bool with_index) {
  app.add_option("-s,--store", arguments.store, "Folder of the store")
      ->required()
      ->type_name("DIR");
  if (!with_index) return;
  app.add_option("-i,--index", arguments.index,
                 "Name of the index (default: \"default\", or the only one)")
      ->type_name("NAME");
}

int print_error(const Status& status, int code) {
  std::fflush(stdout);
  fmt::print(stderr, "vicinal: {}\n", status.to_string());
  return code;
}

int finish_output(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "vicinal: standard output: {}\n", std::strerror(errno));
  return kExitFailure;
}

Result<Store> open_store(const std::string& path, const OpenMode& mode) {
  StoreOptions options;
  options.create = false;
  options.read_only = mode.read_only;
  options.background = mode.background;
  return Store::open(path, options);
}

Result<Index> open_index(Store& store, const std::string& name, const OpenMode& mode) {
  ProgressBar bar("opening " + name, 0, "");
  IndexOptions tuning;
  tuning.threads = mode.threads;
  tuning.salvage = mode.salvage;
  tuning.progress = bar.callback();
  return store.open_index(name, tuning);
}

Result<Opened> open_index(const StoreArguments& arguments, const OpenMode& mode) {
  Result<Store> store = open_store(arguments.store, mode);
  if (!store.ok()) return store.status();
  Result<std::string> name = choose_index(*store, arguments.index);
  if (!name.ok()) return name.status();
  Result<Index> index = open_index(*store, *name, mode);
  if (!index.ok()) return index.status();
  return Opened{std::move(*store), std::move(*index), std::move(*name)};
}

Result<std::string> choose_index(const Store& store, const std::string& given) {
  if (!given.empty()) return given;
  Result<std::vector<std::string>> names = store.index_names();
  if (!names.ok()) return names.status();
  if (names->empty()) {
    return Status::not_found(fmt::format("{}: the store has no index", store.path()));
  }
  if (std::find(names->begin(), names->end(), "default") != names->end()) {
    return std::string("default");
  }
  if (names->size() == 1) return names->front();
  return Status::not_found(fmt::format("{}: no index \"default\"; say --index, one of {}",
                                       store.path(), fmt::join(*names, ", ")));
}

}  // namespace vicinal::tools
