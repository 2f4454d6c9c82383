// Verdicts: whether what a power cut left is what was promised.
//
// What: an image of the disk is opened as a store, and what is in it held against the history of the
// workload. Under Durability::kFull every acknowledged call is there, under kRelaxed every one that was
// acknowledged before the last sync of the data file began; of each writer's later calls there is a
// first part, each whole or not at all. Under kNone that holds from a sync() or close() to the next
// write; at other moments the store must not crash its reader. Where all that was written is there, as
// after a kill, all that was acknowledged is.
// Ownership: history and device outlive it.
// Threads: one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/power/device.h"
#include "tests/power/history.h"

namespace vicinal::testing {

struct Outcome {
  std::string broken = {};  ///< the promise that was broken; empty: none
  bool named = false;       ///< kNone: the damage was told
  bool lost = false;        ///< some acknowledged call is not there, as was allowed
};

class Verdicts {
 public:
  Verdicts(const Device& device, const History& history);

  /// Of the image in `folder`, made of the device's log up to `position`; `whole`: of all of it.
  /// `go_on`: also writes to the store, closes it and opens it again.
  Outcome judge(const std::string& folder, std::size_t position, bool whole, bool go_on) const;

 private:
  Outcome judge_store(const std::string& folder, std::size_t position, bool whole,
                      bool go_on) const;
  std::string judge_backup(const std::string& folder, const DoneBackup& backup,
                           std::size_t position) const;
  /// The first call of a lane that need not be there.
  std::size_t promised(std::size_t writer, std::size_t position, bool whole) const;
  /// Where the last sync of the data file that had ended by `position` began.
  std::size_t last_sync(std::size_t position) const;
  std::string compare(const Contents& found, std::size_t position, bool whole, bool* lost) const;

  const History& history_;
  std::vector<std::pair<std::size_t, std::size_t>> syncs_;  ///< of the data file: end, begin
};

}  // namespace vicinal::testing
