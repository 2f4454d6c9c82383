// Judge: whether what calls answered about a damaged store is right, or names the damage.
//
// What: a status that is not OK has to name damage; a vector has to be one that was stored; all that
// was seen has to be all that there is, unless some call named damage in time.
// Ownership: the sample outlives it.
// Threads: one.
#pragma once

#include <span>
#include <string>

#include "tests/damage/sample.h"
#include "vicinal/status.h"

namespace vicinal::testing {

/// What is upserted into each index that could be opened for writing.
inline constexpr Label kAdded = 123456;
inline constexpr std::uint64_t kAddedGeneration = 9;

struct Verdict {
  std::string wrong;     ///< the first broken promise; empty: none
  std::string named;     ///< the first words that name the damage; empty: none
  bool refused = false;  ///< what was damaged could not be opened for writing, or loaded
};

/// What was seen of each index, as far as it could be read.
struct Seen {
  std::string how;  ///< by which way
  Contents contents;
  bool whole = true;  ///< no call failed that could have told more
};

class Judge {
 public:
  explicit Judge(const Sample& sample) : sample_(sample) {}

  /// A new case. `rolled_back`: see Damaged.
  void begin(bool rolled_back) {
    verdict_ = {};
    rolled_back_ = rolled_back;
    too_late_ = false;
  }
  Verdict& verdict() { return verdict_; }
  bool named() const { return !verdict_.named.empty(); }
  /// What is named from now on was not found before it was written to: all has to be there.
  void naming_is_too_late() { too_late_ = true; }

  /// False where the status is not OK, which then has to name the damage.
  bool good(const Status& status, const std::string& what);
  void name(const std::string& words);
  void wrong(const std::string& words);
  /// That `row` was stored under `label` of the index at some time.
  void check_row(const std::string& name, Label label, std::span<const float> row,
                 const std::string& how);
  /// That what was seen is what there is, or the damage was named in time.
  void judge(const Seen& seen, const Contents& expected);

 private:
  const Sample& sample_;
  Verdict verdict_;
  bool rolled_back_ = false;
  bool too_late_ = false;
};

}  // namespace vicinal::testing
