// Small stores to do damage to, and what is then done with a store that nobody vouches for.
//
// What: three data files of a few pages each, made once a process, always the same bytes; a folder in
// which one of them, changed, stands as a store; and everything that users do with a store, whose
// calls may refuse what they meet but only by name.
// Ownership: owns the folder.
// Threads: one.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "tests/temporary_folder.h"

namespace vicinal::fuzz {

/// How a store is used.
struct Use {
  bool read_only = false;
  bool salvage = false;
  bool rows_in_memory = true;
  bool write = false;  ///< upserts, erasures, maintenance
  bool drop = false;   ///< an index, at the end
};

class StoredSeeds {
 public:
  /// Two flat indexes and free pages of a dropped one; a graph, and rows of int8; large values, a
  /// journal of several pages.
  static constexpr std::size_t kCount = 3;

  /// Made at the first call.
  static StoredSeeds& get();

  const std::string& file(std::size_t seed) const { return files_[seed % kCount]; }
  const std::string& path() const { return path_; }
  /// Makes `contents` the data file of the store at path(), which nobody has open.
  void put(const std::string& contents) const;
  /// Opens the store at path() and uses it. Whether it could be opened.
  bool use(const Use& how) const;

 private:
  StoredSeeds();

  testing::TemporaryFolder folder_;
  std::string path_;
  std::array<std::string, kCount> files_;
};

}  // namespace vicinal::fuzz
