#include "tools/common.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "tools/arguments.h"
#include "tools/format.h"
#include "tools/progress.h"

namespace vicinal::tools {

namespace {

/// Names that no index can have are told before anything is opened or made.
CLI::Validator index_name() {
  const auto check = [](const std::string& name) {
    const auto allowed = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '.';
    };
    const bool good =
        !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), allowed);
    return good ? std::string()
                : fmt::format(
                      "\"{}\" is no name of an index: 1 to 100 letters, digits, '_', '-' or "
                      "'.'",
                      name);
  };
  return CLI::Validator(check, "");
}

/// Who reads cannot write what opening makes: every opening makes it again.
void tell_of_journal(const Store& store, const std::string& name) {
  const Result<StoredStats> stored = store.stored_stats(name);
  if (!stored.ok() || stored->rows_to_link == 0) return;
  fmt::print(stderr,
             "vicinal: index {}: {} rows since its last checkpoint are linked anew at every "
             "opening; this spares it: vicinal checkpoint --store {} --index {}\n",
             name, grouped(stored->rows_to_link), store.path(), name);
}

}  // namespace

void add_store_arguments(CLI::App& app, StoreArguments& arguments, bool with_index) {
  add_text(app, "-s,--store", arguments.store, "Folder of the store")->required()->type_name("DIR");
  if (!with_index) return;
  add_text(app, "-i,--index", arguments.index,
           "Name of the index (default: \"default\", or the only one)")
      ->type_name("NAME")
      ->check(index_name());
}

std::string printable(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool wide = byte == 0xC2 && next >= 0x80 && next < 0xA0;  // U+0080 to U+009F
    if (byte < 0x20 || byte == 0x7F || wide) text.replace(i, wide ? 2 : 1, "?");
  }
  return text;
}

int print_error(const Status& status, int code) {
  std::fflush(stdout);
  fmt::print(stderr, "vicinal: {}\n", printable(status.to_string()));
  return code;
}

int close_store(Store& store, const std::string& kept) {
  const Status closed = store.close();
  if (closed.ok()) return kExitOk;
  return print_error(Status(
      closed.code(), fmt::format("closing {}: the checkpoint failed: {}; nothing is lost: {}",
                                 store.path(), closed.message(), kept)));
}

Result<std::unique_ptr<matrix::Reader>> open_rows(const std::string& path,
                                                  const matrix::Wanted& wanted) {
  Result<std::unique_ptr<matrix::Reader>> reader = matrix::Reader::open(path, wanted);
  if (reader.ok() && !(*reader)->note().empty()) {
    fmt::print(stderr, "vicinal: {}: {}\n", (*reader)->path(), printable((*reader)->note()));
  }
  return reader;
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
  if (mode.read_only) tell_of_journal(store, name);
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
