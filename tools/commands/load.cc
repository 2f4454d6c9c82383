// vicinal load: what `vicinal save` or Index::save() wrote becomes an index of a store.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/interrupt.h"
#include "tools/matrix/input_file.h"
#include "tools/names.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct LoadArguments {
  StoreArguments at;
  std::string file;
  unsigned threads = 0;
  Durability durability = Durability::kFull;
  bool json = false;
};

/// All of it, and nothing behind it.
Result<Index> read_index(const LoadArguments& arguments) {
  Result<matrix::InputFile> file = matrix::InputFile::open(arguments.file);
  if (!file.ok()) return file.status();
  ProgressBar bar("reading", 0, "vectors");
  IndexOptions tuning;
  tuning.threads = arguments.threads;
  tuning.progress = bar.callback();
  std::uint64_t at = 0;
  Result<Index> index = Index::load(
      [&](std::span<std::byte> room) -> Result<std::size_t> {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), file->size() - at));
        if (count == 0) return count;
        if (Status s = file->read_at(at, room.data(), count); !s.ok()) return s;
        at += count;
        return count;
      },
      tuning);
  if (!index.ok()) {
    return Status(index.status().code(),
                  fmt::format("{}: {}", arguments.file, index.status().message()));
  }
  if (at != file->size()) {
    return Status::corruption(
        fmt::format("{}: {} bytes follow the index", arguments.file, file->size() - at));
  }
  return index;
}

/// An index of the store with what `loaded` is made with, empty unless it was there.
Result<Index> make_index(const LoadArguments& arguments, const Index& loaded, Store& store,
                         const std::string& name) {
  IndexOptions options = loaded.options();
  options.threads = arguments.threads;
  options.reserve = loaded.stats().flat ? 0 : loaded.size();
  options.progress = {};
  Result<Index> index = store.index(name, options);
  if (!index.ok() || index->size() == 0) return index;
  return Status::invalid_argument(
      fmt::format("index {} of {} holds {} vectors: load into one that is new or empty", name,
                  arguments.at.store, index->size()));
}

Status copy(const LoadArguments& arguments, const Index& from, Index& to) {
  constexpr std::size_t kBatch = 10'000;
  ProgressBar bar("storing", from.size(), "vectors");
  std::vector<Label> labels;
  std::vector<float> vectors;
  std::uint64_t stored = 0;
  BatchOptions options;
  options.threads = arguments.threads;
  Status status;
  const auto store = [&] {
    options.progress = bar.callback_from(stored);
    const Result<BatchResult> done = to.upsert_batch(labels, vectors, options);
    status = done.status();
    stored += labels.size();
    bar.update(stored);
    labels.clear();
    vectors.clear();
    if (status.ok() && interrupted()) status = Status::cancelled("interrupted");
    return status.ok();
  };
  const Status walked = from.for_each([&](Label label, std::span<const float> vector) {
    labels.push_back(label);
    vectors.insert(vectors.end(), vector.begin(), vector.end());
    return labels.size() < kBatch || store();
  });
  if (!walked.ok()) return walked;
  if (status.ok() && !labels.empty()) store();
  return status;
}

int run_load(const LoadArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  Result<Index> loaded = read_index(arguments);
  if (!loaded.ok()) return print_error(loaded.status());
  StoreOptions how;
  how.durability = arguments.durability;
  Result<Store> store = Store::open(arguments.at.store, how);
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  const std::string name = arguments.at.index.empty() ? "default" : arguments.at.index;
  Result<Index> index = make_index(arguments, *loaded, *store, name);
  if (!index.ok()) return print_error(index.status(), kExitCannotOpen);
  if (Status s = copy(arguments, *loaded, *index); !s.ok()) {
    const std::uint64_t kept = index->size();
    return print_error(Status(s.code(), fmt::format("{}; {} of {} vectors were stored", s.message(),
                                                    kept, loaded->size())));
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"file", arguments.file},
                                  {"store", arguments.at.store},
                                  {"index", name},
                                  {"live", index->size()},
                                  {"seconds", seconds}}));
  } else {
    fmt::print("loaded {} vectors from {} into {} (index {}) in {}\n", grouped(index->size()),
               arguments.file, arguments.at.store, name, human_seconds(seconds));
  }
  return close_store(*store, fmt::format("{} vectors are stored", grouped(loaded->size())));
}

}  // namespace

void add_load(CLI::App& app, int& exit_code) {
  const auto [command, arguments] = add_index_command(
      app, "load", "Store what save wrote, in a new or empty index", run_load, exit_code);
  command->footer(
      std::string("The file is verified as a whole before anything is made. The index gets the "
                  "options that were saved; its links are made\nanew.\n") +
      kExitCodesHelp);
  add_text(*command, "file", arguments->file, "What save wrote; - is standard input")->required();
  add_whole(*command, "--threads", arguments->threads, kThreads, "Threads (0: one per CPU)");
  add_durability(*command, arguments->durability);
  command->add_flag("--json", arguments->json, "Print the result as JSON");
}

}  // namespace vicinal::tools
