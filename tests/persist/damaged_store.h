// DamagedStore: a store with one index whose records and pages a test can damage, and what a load
// says of it then.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/worker_pool.h"
#include "persist/index_range.h"
#include "persist/lmdb_cursor.h"
#include "persist/lmdb_env.h"
#include "persist/store_file.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {

class DamagedStore : public ::testing::Test {
 public:
  struct Outcome {
    Status opened;
    Result<LoadReport> report = Status::not_found("");
    std::size_t nodes = 0;
    std::size_t links = 0;
    std::uint64_t failures = 0;
    std::string message;
  };

 protected:
  static constexpr std::uint32_t kDimension = 384;  // 32 rows to a chunk

  void SetUp() override {
    path_ = folder_.file("s");
    auto store = open_store(path_, fast());
    auto index = create(*store, kDimension);
    MemoryIndex model(index.get(), 1);
    model.batch(0, 400);
    ASSERT_TRUE(model.checkpoint().ok());
    model.upsert(1000);
    model.upsert(1001);
  }

  /// Changes `database` through LMDB.
  void edit(const std::string& database,
            const std::function<Status(Transaction&, DatabaseHandle)>& change) {
    auto environment = Environment::open(path_, {});
    ASSERT_TRUE(environment.ok());
    const Status status = (*environment)->with_handles([&](Transaction& transaction) -> Status {
      auto handle = transaction.open_database(database, false);
      return handle.ok() ? change(transaction, *handle) : handle.status();
    });
    ASSERT_TRUE(status.ok()) << status.to_string();
  }

  /// Flips a bit of the `nth` value of `database`.
  void flip(const std::string& database, int nth, std::size_t bit_from_end) {
    edit(database, [&](Transaction& transaction, DatabaseHandle handle) -> Status {
      std::vector<std::byte> key;
      std::vector<std::byte> value;
      {
        auto cursor = Cursor::open(transaction, handle);
        auto more = cursor->first();
        for (int i = 0; i < nth; ++i) more = cursor->next();
        EXPECT_TRUE(*more);
        key.assign(cursor->key().begin(), cursor->key().end());
        value.assign(cursor->value().begin(), cursor->value().end());
      }
      value[value.size() - 1 - bit_from_end / 8 % value.size()] ^=
          static_cast<std::byte>(1u << (bit_from_end % 8));
      return transaction.put(handle, key, value);
    });
  }

  Outcome load(bool salvage, bool parallel = false, bool read_only = false) {
    Outcome outcome;
    StoreOptions store_options = fast();
    store_options.read_only = read_only;
    auto opened = StoreFile::open(path_, store_options);
    outcome.opened = opened.status();
    if (!opened.ok()) return outcome;
    const std::unique_ptr<StoreFile> store = std::move(*opened);
    auto index = store->open_index("text");
    outcome.opened = index.status();
    if (!index.ok()) return outcome;
    Loaded loaded(kDimension);
    LoadOptions options;
    options.salvage = salvage;
    if (parallel) options.workers = {pool_, 3};
    outcome.report = (*index)->load(loaded, options);
    outcome.nodes = loaded.live().size();
    outcome.links = loaded.all_links.size();
    std::vector<std::string> messages;
    const Result<std::uint64_t> failures = (*index)->verify(&messages);
    outcome.failures = failures.ok() ? *failures : 1;
    if (!failures.ok()) messages.push_back(failures.status().message());
    if (!messages.empty()) outcome.message = messages[0];
    return outcome;
  }

  std::string contents() const {
    std::string all(std::filesystem::file_size(data_file()), '\0');
    std::ifstream file(data_file(), std::ios::binary);
    file.read(all.data(), static_cast<std::streamsize>(all.size()));
    return all;
  }
  void set_contents(const std::string& all) const {
    std::ofstream(data_file(), std::ios::binary) << all;
  }
  std::string data_file() const { return path_ + "/data.mdb"; }
  std::size_t page_size() const { return (*Environment::open(path_, {}))->page_size(); }

  TemporaryFolder folder_;
  std::string path_;
  internal::WorkerPool pool_;
};

}  // namespace vicinal::persist::test
