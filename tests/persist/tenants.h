// Tenants: many indexes of one store, each with what it should hold.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "persist/index_databases.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {

inline constexpr std::uint32_t kDimension = 5;

inline std::string name_of(std::size_t i) { return "tenant-" + std::to_string(i); }

/// One with what it should hold.
struct Tenant {
  Tenant(StoreFile& store, std::size_t i, std::uint32_t dimension = kDimension)
      : records(create(store, dimension, name_of(i))), model(records.get(), i + 1) {}

  std::unique_ptr<IndexRecords> records;
  MemoryIndex model;
};

inline void expect_holds(StoreFile& store, std::size_t i, const MemoryIndex& model,
                         std::uint32_t dimension = kDimension) {
  auto records = reopen(store, name_of(i));
  ASSERT_NE(records, nullptr);
  Loaded loaded(dimension);
  const auto report = records->load(loaded, {});
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_TRUE(loaded.table == model.table) << name_of(i);
  EXPECT_EQ(report->damaged_links, 0u);
  std::vector<std::string> messages;
  EXPECT_EQ(*records->verify(&messages), 0u) << messages[0];
}

/// Runs `change` on the databases that all indexes share.
inline void edit(const std::string& path,
                 const std::function<Status(Transaction&, const SharedDatabases&)>& change) {
  auto environment = Environment::open(path, {});
  ASSERT_TRUE(environment.ok());
  const Status status = (*environment)->with_handles([&](Transaction& transaction) -> Status {
    SharedDatabases databases;
    const Status opened = databases.open(transaction, false);
    return opened.ok() ? change(transaction, databases) : opened;
  });
  ASSERT_TRUE(status.ok()) << status.to_string();
}

}  // namespace vicinal::persist::test
