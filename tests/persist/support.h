// What the persist tests share: a folder that goes away, rows computable from label and generation,
// and stores opened or failed.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "persist/index_records.h"
#include "persist/lmdb_env.h"
#include "persist/range_tail.h"
#include "persist/store_file.h"
#include "tests/temporary_folder.h"

namespace vicinal::persist::test {

using vicinal::testing::TemporaryFolder;

inline StatusCode open_code(const std::string& path, const StoreOptions& options = {}) {
  return StoreFile::open(path, options).status().code();
}

/// An environment with one database, in which index 1 has a journal.
struct Journal {
  explicit Journal(const std::string& path, Durability durability) {
    EXPECT_TRUE(std::filesystem::create_directory(path));
    EnvironmentOptions options;
    options.durability = durability;
    auto opened = Environment::open(path, options);
    EXPECT_TRUE(opened.ok()) << opened.status().to_string();
    environment = std::move(*opened);
    const Status status = environment->with_handles([&](Transaction& transaction) -> Status {
      auto handle = transaction.open_database("j", true);
      if (!handle.ok()) return handle.status();
      journal = *handle;
      return write_tail(transaction, range());
    });
    EXPECT_TRUE(status.ok()) << status.to_string();
  }

  IndexRange range() const { return {journal, 1}; }

  std::unique_ptr<Environment> environment;
  DatabaseHandle journal = 0;
};

inline std::vector<float> make_row(Label label, std::uint64_t generation, std::uint32_t dimension) {
  std::vector<float> row(dimension);
  std::uint64_t x = label * 0x9E3779B97F4A7C15ull + generation * 0xD1B54A32D192ED03ull + 1;
  for (float& f : row) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    f = static_cast<float>(x >> 40) * 0x1p-20f;
  }
  return row;
}

/// The stored row of a float32 vector.
inline const std::byte* bytes_of(const std::vector<float>& row) {
  return reinterpret_cast<const std::byte*>(row.data());
}

inline StoredOptions options_of(std::uint32_t dimension) {
  StoredOptions options;
  options.dimension = dimension;
  return options;
}

inline std::unique_ptr<StoreFile> open_store(const std::string& path, StoreOptions options = {}) {
  Result<std::unique_ptr<StoreFile>> store = StoreFile::open(path, options);
  EXPECT_TRUE(store.ok()) << store.status().to_string();
  return store.ok() ? std::move(*store) : nullptr;
}
inline std::unique_ptr<IndexRecords> create(StoreFile& store, std::uint32_t dimension,
                                            const std::string& name = "text") {
  Result<std::unique_ptr<IndexRecords>> index = store.create_index(name, options_of(dimension));
  EXPECT_TRUE(index.ok()) << index.status().to_string();
  return index.ok() ? std::move(*index) : nullptr;
}
inline std::unique_ptr<IndexRecords> reopen(StoreFile& store, const std::string& name = "text") {
  Result<std::unique_ptr<IndexRecords>> index = store.open_index(name);
  EXPECT_TRUE(index.ok()) << index.status().to_string();
  return index.ok() ? std::move(*index) : nullptr;
}
inline StoreOptions fast() {
  StoreOptions options;
  options.durability = Durability::kNone;
  return options;
}

}  // namespace vicinal::persist::test
