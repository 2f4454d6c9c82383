// vicinal demo: the engine's main job on real input, the words of a dictionary, from a fresh store
// to a validated one.
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/commands/demo_steps.h"
#include "tools/common.h"
#include "tools/interrupt.h"

namespace vicinal::tools {
namespace {

struct DemoArguments {
  std::string words = "/usr/share/dict/words";
  std::string store;
  unsigned threads = 0;
  bool keep = false;
};

/// A folder that is removed with all it holds when it goes, unless told to stay.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make() {
    std::error_code error;
    const std::filesystem::path base = std::filesystem::temp_directory_path(error);
    std::string pattern = (base / "vicinal-demo-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
      return Status::io_error(fmt::format("{}: cannot make a folder", pattern));
    }
    return ScratchFolder(pattern);
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

int run_in(const DemoArguments& arguments, const std::string& folder) {
  Demo demo(arguments.words, folder, arguments.threads);
  const auto steps = {&Demo::read_words,          &Demo::open_fresh,     &Demo::import_words,
                      &Demo::answer_misspelt,     &Demo::measure_recall, &Demo::stream_upserts,
                      &Demo::erase_and_resurrect, &Demo::reopen,         &Demo::validate};
  for (const auto step : steps) {
    if (Status s = (demo.*step)(); !s.ok()) return print_error(s);
    if (interrupted()) return print_error(Status::cancelled("interrupted"));
  }
  return demo.print_summary() == 0 ? kExitOk : kExitFailure;
}

int run_demo(const DemoArguments& arguments) {
  if (!arguments.store.empty()) return run_in(arguments, arguments.store);
  Result<ScratchFolder> folder = ScratchFolder::make();
  if (!folder.ok()) return print_error(folder.status());
  const std::string store = folder->path() + "/words.vic";
  const int code = run_in(arguments, store);
  if (arguments.keep) {
    folder->keep();
    fmt::print("   {:<18}{}\n", "store kept", store);
  }
  return code;
}

}  // namespace

void add_demo(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<DemoArguments>();
  CLI::App* command = app.add_subcommand("demo", "Show the engine at work on a word list");
  command->footer("Exit codes: 0 all as it should be; 1 something is off; 100 and above: usage.");
  add_text(*command, "--words", arguments->words, "Word list, one a line (package wamerican)")
      ->capture_default_str();
  add_text(*command, "--store", arguments->store,
           "Folder of the store, absent or empty; stays (default: a temporary one)");
  add_whole(*command, "--threads", arguments->threads, kThreads, "Threads (default: one per CPU)");
  command->add_flag("--keep", arguments->keep, "Keep the temporary store");
  command->callback([arguments, &exit_code] { exit_code = run_demo(*arguments); });
}

}  // namespace vicinal::tools
