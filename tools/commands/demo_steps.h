// The steps of `vicinal demo`, in the order in which they run; each prints what it did.
//
// Ownership: a Demo owns its store and index handles and the words.
// Threads: one. A step that finds something off says so through expect(); a Status that is not ok
// ends the demo.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vicinal/index.h"
#include "vicinal/status.h"
#include "vicinal/store.h"

namespace vicinal::tools {

/// A line of the summary at the end.
struct SummaryLine {
  std::string name;
  std::string value;
};

class Demo {
 public:
  Demo(std::string words_path, std::string store_path, unsigned threads);

  Status read_words();
  Status open_fresh();
  Status import_words();
  Status answer_misspelt();
  Status measure_recall();
  Status stream_upserts();
  Status erase_and_resurrect();
  Status reopen();
  Status validate();
  /// Returns how many expectations failed.
  int print_summary() const;

 private:
  /// Notes and prints a failure unless `good`.
  void expect(bool good, const std::string& what);
  void heading(const std::string& text);
  Result<SearchResult> nearest(const std::string& word, std::size_t k, bool whole_words) const;
  bool is_possessive(Label label) const;
  /// Answers that must not change over a reopening.
  Result<std::vector<SearchResult>> probe() const;

  std::string words_path_;
  std::string store_path_;
  unsigned threads_;
  std::vector<std::string> words_;  ///< by label; streamed ones are added at the end
  std::optional<Store> store_;
  std::optional<Index> index_;
  std::vector<SummaryLine> summary_;
  int step_ = 0;
  int failures_ = 0;
};

}  // namespace vicinal::tools
