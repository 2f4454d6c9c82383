// Sample: a small store that has everything a store may have, and what is in it.
//
// What: a data file with several indexes (links of a checkpoint, a journal, rows and journal entries on
// pages of their own, free pages, freed nodes, an index without vectors, a dropped one that left its
// records), the same file as it was after each earlier write, and a stream of one of the indexes.
// Ownership: plain values, but for the rows, which states share.
// Threads: none changes it once it is made; any may read.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "vicinal/types.h"

namespace vicinal::testing {

using Row = std::shared_ptr<const std::vector<float>>;
/// The live vectors of an index.
using Rows = std::map<Label, Row>;
/// Those of each index, by its name.
using Contents = std::map<std::string, Rows>;

inline bool same_rows(const Rows& a, const Rows& b) {
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first || *i->second != *j->second) return false;
  }
  return true;
}

struct Sample {
  std::string file;                  ///< data.mdb
  std::vector<std::byte> stream;     ///< the index kStreamed as Index::save() writes it
  Contents contents;                 ///< of both
  std::vector<Contents> history;     ///< after each write, the last included
  std::vector<std::string> earlier;  ///< the file then, oldest first, without the last
  std::set<Label> erased;            ///< labels that were live once, in kStreamed
  std::map<std::string, std::uint64_t> journal_entries;
};

inline constexpr const char* kStreamed = "text";
inline constexpr std::size_t kPageBytes = 4096;  // of a data file made on this machine; checked

/// Makes it in the folder `path`, which must not exist. Throws Broken.
Sample make_sample(const std::string& path);

}  // namespace vicinal::testing
