// Campaign: one way of trying to break a promise, many times over, from one seed.
//
// What: what the programs of the proof share: their arguments, when they end, what they count and
// what they found. A program makes one Campaign, asks more() before each round and returns finish().
// Arguments: --seed N (of the first round; each round has the next), --rounds N and --minutes N
//            (whichever comes first), --folder F (where a folder for stores is made, and removed in
//            the end) or --in-memory, and
//            --report FILE, to which one line of JSON is added; tools/proof reads those lines.
// Ownership: the folder is the campaign's.
// Threads: one, but for add() and finding(), which any may call.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace CLI {
class App;
}  // namespace CLI

namespace vicinal::testing {

class Campaign {
 public:
  /// `name`: what tools/proof knows it by. `rounds`: how many when the arguments do not say.
  Campaign(std::string name, std::string description, std::uint64_t rounds);
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;
  ~Campaign();

  /// For arguments of a campaign's own; before parse().
  CLI::App& arguments() { return *arguments_; }
  /// False when the program is to end at once, with exit_code().
  bool parse(int argc, const char* const* argv);
  int exit_code() const { return exit_code_; }

  /// Whether another round is to be run; counts it. After a finding there is none.
  bool more();
  /// The seed of the round that more() began.
  std::uint64_t seed() const { return seed_ + round_ - 1; }
  /// Rounds begun.
  std::uint64_t rounds() const { return round_; }
  /// A path in the campaign's folder.
  std::string file(const std::string& name) const { return folder_->file(name); }

  /// Counts what was tried: "kills", "cuts", "executions".
  void add(const std::string& what, std::uint64_t count = 1);
  std::uint64_t counted(const std::string& what) const;
  /// A promise was broken: said at once, with what runs this round alone.
  void finding(const std::string& message) { finding(message, seed()); }
  /// In the round of that seed, which more() began before this one.
  void finding(const std::string& message, std::uint64_t seed);
  bool found() const;

  /// Says what was counted, writes the report; 0, or 1 after a finding.
  int finish();

 private:
  const std::string name_;
  const std::unique_ptr<CLI::App> arguments_;
  std::uint64_t seed_ = 1;
  std::uint64_t most_rounds_;
  double minutes_ = 0;
  std::string parent_;
  std::string report_;
  std::unique_ptr<TemporaryFolder> folder_;
  std::chrono::steady_clock::time_point begun_;
  std::uint64_t round_ = 0;
  int exit_code_ = 0;

  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::string> findings_;
};

}  // namespace vicinal::testing
