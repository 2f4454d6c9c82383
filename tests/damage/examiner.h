// Examiner: does with a damaged store, or stream, all that a user may do, and judges the answers.
//
// What: each answer is right or names the damage; no label is lost, back or another's without a word:
// size, every label and every name are held against the sample. Where all was well before it was
// written to, all that was acknowledged must be there afterwards: naming comes too late then.
// Ownership: the sample outlives it; the folder is its own.
// Threads: one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/damage/damages.h"
#include "tests/damage/judge.h"
#include "tests/damage/sample.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::testing {

class Examiner {
 public:
  /// `folder` is made, and used by every examination.
  Examiner(const Sample& sample, std::string folder);

  Verdict examine(const Damaged& damaged);

 private:
  void examine_stream(const std::string& bytes);
  void examine_file(const std::string& bytes);
  void put_file(const std::string& bytes) const;

  void read();
  void read_unloaded(Store& store, const std::string& name, Seen& seen);
  void read_backup(Store& store);
  bool write();
  void write_to(Store& store, const std::string& name);
  void read_again();
  std::optional<Store> open(const std::string& path, bool read_only);
  std::optional<Index> open_index(Store& store, const std::string& name, bool salvage);
  void list(Store& store, Seen& seen);
  void verify(Store& store);
  Rows look_at(const Index& index, const std::string& name, bool* whole);
  void search(const Index& index, const std::string& name, const Rows& rows);
  void validate(const Index& index);
  void pass_through_stream(const Index& index, const std::string& name, const Rows& rows);

  const Sample& sample_;
  const std::string folder_;
  std::string path_;                               ///< of the damaged store
  std::string copy_;                               ///< of its backup
  std::map<std::string, std::set<Label>> labels_;  ///< ever live, by index
  Judge judge_;
  Contents expected_;  ///< after what was written
  std::uint64_t examined_ = 0;
  bool through_streams_ = true;
};

}  // namespace vicinal::testing
