// Catalog: which indexes a store has, their names and numeric ids, and the store's own record.
//
// Ownership: belongs to its StoreFile.
// Threads: open() first and alone, then any; each call lives in its caller's transaction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "persist/lmdb_env.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// kInvalidArgument when no index may have this name.
Status check_index_name(std::string_view name);

class Catalog {
 public:
  /// `path`: of the store, for messages.
  explicit Catalog(std::string path);

  /// Opens it, or makes it in a fresh store; inside Environment::with_handles.
  /// Errors: kInvalidArgument (LMDB's, and somebody else's); kCorruption; kFormatVersion.
  Status open(Transaction& transaction, bool fresh);

  Result<std::vector<std::string>> names(Transaction& transaction) const;
  /// The numeric id; kNotFound.
  Result<std::uint32_t> find(Transaction& transaction, std::string_view name) const;
  /// Gives `name` the next id.
  /// Errors: kInvalidArgument when there is one of that name; kFull.
  Result<std::uint32_t> add(Transaction& transaction, std::string_view name);
  Status remove(Transaction& transaction, std::string_view name);

 private:
  const std::string path_;
  DatabaseHandle database_ = 0;
};

}  // namespace vicinal::persist
