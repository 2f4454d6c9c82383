#include "persist/index_databases.h"

#include <fmt/format.h>

#include <array>
#include <string>

namespace vicinal::persist {
namespace {

constexpr std::array<const char*, 5> kDatabaseNames = {"meta", "vectors", "nodes", "links",
                                                       "journal"};

std::string database_name(std::uint32_t index, const char* part) {
  return fmt::format("{}.{}", index, part);
}

}  // namespace

Result<IndexDatabases> IndexDatabases::open(Transaction& transaction, std::uint32_t index,
                                            bool create) {
  IndexDatabases databases;
  const std::array<DatabaseHandle*, 5> handles = {
      &databases.meta, &databases.vectors, &databases.nodes, &databases.links, &databases.journal};
  for (std::size_t i = 0; i < handles.size(); ++i) {
    Result<DatabaseHandle> handle =
        transaction.open_database(database_name(index, kDatabaseNames[i]), create);
    if (!handle) {
      if (handle.status().code() != StatusCode::kNotFound) return handle.status();
      return Status::corruption(
          fmt::format("database {} is missing", database_name(index, kDatabaseNames[i])));
    }
    *handles[i] = *handle;
  }
  return databases;
}

Status IndexDatabases::drop(Transaction& transaction, std::uint32_t index) {
  for (const char* part : kDatabaseNames) {
    if (Status s = transaction.drop_database(database_name(index, part)); !s.ok()) return s;
  }
  return {};
}

}  // namespace vicinal::persist
