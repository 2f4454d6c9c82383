#include "persist/index_databases.h"

#include <fmt/format.h>

namespace vicinal::persist {

Status SharedDatabases::open(Transaction& transaction, bool create) {
  for (std::size_t i = 0; i < kCount; ++i) {
    const Result<DatabaseHandle> handle = transaction.open_database(kNames[i], create);
    if (!handle) {
      if (handle.status().code() != StatusCode::kNotFound) return handle.status();
      return Status::corruption(fmt::format("database {} is missing", kNames[i]));
    }
    handles_[i] = *handle;
  }
  return {};
}

IndexDatabases SharedDatabases::of(std::uint32_t index) const {
  return {IndexRange(handles_[0], index), IndexRange(handles_[1], index),
          IndexRange(handles_[2], index), IndexRange(handles_[3], index),
          IndexRange(handles_[4], index)};
}

}  // namespace vicinal::persist
