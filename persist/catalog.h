// Catalog: which indexes a store has, their names and numeric ids, which were dropped and still have
// records, and the store's own record.
//
// Ownership: belongs to its StoreFile.
// Threads: open() first and alone, then any; each call lives in its caller's transaction.
// Cost: names are keys: finding one of many takes as many steps as the tree is deep.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "persist/lmdb_env.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// kInvalidArgument when no index may have this name.
Status check_index_name(std::string_view name);

/// kInvalidArgument, for who would make it.
Status exists_already(std::string_view name);

class Catalog {
 public:
  /// `path`: of the store, for messages.
  explicit Catalog(std::string path);

  /// Opens it, or makes it in a fresh store; inside Environment::with_handles.
  /// Errors: kInvalidArgument (LMDB's, and somebody else's); kCorruption; kFormatVersion.
  Status open(Transaction& transaction, bool fresh);

  /// Errors: kCorruption where a name cannot be one.
  Result<std::vector<std::string>> names(Transaction& transaction) const;
  /// The numeric id; kNotFound.
  Result<std::uint32_t> find(Transaction& transaction, std::string_view name) const;
  /// Gives `name` the next id; none is given twice.
  /// Errors: kInvalidArgument when there is one of that name; kFull when ids have run out.
  Result<std::uint32_t> add(Transaction& transaction, std::string_view name);
  /// `name` is free from now on; its id joins those of dropped indexes. kNotFound.
  Status drop(Transaction& transaction, std::string_view name);

  /// The least id of a dropped index whose records are not all deleted, or 0.
  Result<std::uint32_t> first_dropped(Transaction& transaction) const;
  /// They are.
  Status forget_dropped(Transaction& transaction, std::uint32_t index);
  /// Of all indexes, dropped ones too.
  Result<std::set<std::uint32_t>> ids(Transaction& transaction) const;

 private:
  const std::string path_;
  DatabaseHandle database_ = 0;
};

}  // namespace vicinal::persist
