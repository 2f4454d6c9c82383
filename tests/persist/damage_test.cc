// Damaged records of every kind, made through LMDB itself: never a crash, never wrong contents.
#include <fstream>

#include "persist/lmdb_cursor.h"
#include "persist/lmdb_env.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

constexpr std::uint32_t kDimension = 384;  // 128 rows to a chunk

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_ / "s";
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

  struct Outcome {
    Status opened;
    Result<LoadReport> report = Status::not_found("");
    std::size_t nodes = 0;
    std::size_t links = 0;
    std::uint64_t failures = 0;
    std::string message;
  };
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
    if (parallel) options.parallel = on_three_threads;
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

  TempFolder folder_;
  std::string path_;
};

std::uint16_t number_at(const std::string& file, std::size_t at) {
  std::uint16_t n = 0;
  std::memcpy(&n, file.data() + at, sizeof n);
  return n;
}

/// A branch or leaf of an LMDB file, used or not: where it is, and its nodes.
struct LmdbPage {
  std::size_t at = 0;
  bool leaf = false;
  std::vector<std::size_t> nodes;
};

std::vector<LmdbPage> lmdb_pages(const std::string& file, std::size_t page_size) {
  constexpr std::size_t kHeader =
      16;  // page number, then flags at 10 and the end of the list at 12
  std::vector<LmdbPage> pages;
  for (std::size_t at = 2 * page_size; at + page_size <= file.size(); at += page_size) {
    std::uint64_t own_number = 0;
    std::memcpy(&own_number, file.data() + at, sizeof own_number);
    const std::uint16_t flags = number_at(file, at + 10);
    if (own_number != at / page_size || (flags != 1 && flags != 2)) continue;
    LmdbPage page{at, flags == 2, {}};
    const std::size_t end = std::min<std::size_t>(number_at(file, at + 12), page_size);
    for (std::size_t i = kHeader; i + 2 <= end; i += 2) {
      const std::size_t node = number_at(file, at + i);
      if (node + 8 <= page_size) page.nodes.push_back(at + node);
    }
    pages.push_back(page);
  }
  return pages;
}

// A flipped bit in a length, which no checksum of ours covers.
TEST_F(Damage, ALengthBeyondTheFileIsAnErrorAndNotASignal) {
  const std::string sound = contents();
  std::size_t refused = 0;
  std::size_t most_saved = 0;
  for (const LmdbPage& page : lmdb_pages(sound, page_size())) {
    for (const std::size_t node : page.nodes) {
      if (!page.leaf) continue;
      std::string damaged = sound;
      damaged[node + 3] ^= 0x40;  // a gigabyte more
      set_contents(damaged);
      refused += load(false).opened.ok() ? 0 : 1;
      const Outcome read_only = load(true, false, true);
      if (read_only.report.ok()) most_saved = std::max(most_saved, read_only.nodes);
    }
  }
  EXPECT_GT(refused, 12u);
  EXPECT_GT(most_saved, 300u) << "what can be read is not lost";
}

TEST_F(Damage, FlippedBitsInPagesOfLmdbAreErrorsAndNotSignals) {
  const std::string sound = contents();
  std::size_t refused = 0;
  std::size_t flips = 0;
  const auto flip_bits = [&](std::size_t begin, std::size_t end) {
    // A step that has no divisor in common with 8: every bit of a byte has its turn.
    for (std::size_t bit = begin * 8 + begin % 29; bit < end * 8; bit += 29) {
      std::string damaged = sound;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      set_contents(damaged);
      const Outcome outcome = load(false);
      refused += outcome.opened.ok() && outcome.report.ok() ? 0 : 1;
      load(true, false, true);
      ++flips;
    }
  };
  for (const LmdbPage& page : lmdb_pages(sound, page_size())) {
    flip_bits(page.at, page.at + 16 + 2 * page.nodes.size());
    for (const std::size_t node : page.nodes) flip_bits(node, node + 8);
  }
  EXPECT_GT(flips, 300u);
  EXPECT_GT(refused, 50u) << "the others are in pages that are not used any more";
}

TEST_F(Damage, SoundAtFirst) {
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.links, 400u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

TEST_F(Damage, VectorsChunkNamesItsLabelOrIsSetAside) {
  flip("1.vectors", 1, 12345);
  Outcome outcome = load(false);
  EXPECT_EQ(outcome.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(outcome.report.status().message().find("from 32"), std::string::npos)
      << outcome.report.status().message();
  EXPECT_GE(outcome.failures, 1u);
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->salvaged, 1u);
  EXPECT_EQ(outcome.nodes, 402u - 32u);
}

// Without rows no chunk is read; whoever reads one verifies it.
TEST_F(Damage, WithoutRowsChunksAreVerifiedWhenTheyAreRead) {
  flip("1.vectors", 1, 12345);
  auto store = open_store(path_, fast());
  auto index = reopen(*store);
  Loaded loaded(kDimension);
  loaded.with_rows = false;
  LoadOptions options;
  options.rows = false;
  options.parallel = on_three_threads;
  ASSERT_TRUE(index->load(loaded, options).ok());
  EXPECT_EQ(loaded.table.size(), 402u);
  for (const bool copied : {false, true}) {
    auto reader = copied ? index->chunk_copier() : index->row_reader();
    ASSERT_TRUE(reader.ok());
    for (std::uint32_t id = 0; id < 400; ++id) {
      const float* const row = (*reader)->row(graph::NodeId{id});
      if (id / 32 == 1) {
        EXPECT_EQ(row, nullptr) << id;
        EXPECT_NE((*reader)->why().message().find("checksum"), std::string::npos);
      } else {
        ASSERT_NE(row, nullptr) << id << ": " << (*reader)->why().message();
        EXPECT_EQ(std::vector<float>(row, row + kDimension), make_row(id, 1, kDimension));
      }
    }
  }
}

// A flipped bit in a key makes LMDB miss a chunk: that is known before anybody writes one anew.
TEST_F(Damage, AnAbsentChunkIsKnownWithoutRows) {
  edit("1.vectors", [](Transaction& transaction, DatabaseHandle handle) {
    const Key32 key(5);
    return transaction.remove(handle, key.bytes());
  });
  for (const bool rows : {false, true}) {
    auto store = open_store(path_, fast());
    auto index = reopen(*store);
    Loaded loaded(kDimension);
    loaded.with_rows = rows;
    LoadOptions options;
    options.rows = rows;
    const Status status = index->load(loaded, options).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption);
    EXPECT_NE(status.message().find("vectors chunk 5 is missing; labels of index 'text' from 160"),
              std::string::npos)
        << status.message();
  }
}

// A flipped bit in the number of the last commit, or in that of the one before, would undo a
// commit.
TEST_F(Damage, NumbersOfCommits) {
  const std::string sound = contents();
  constexpr std::size_t kNumberAt = 16 + 128;
  for (const std::size_t meta : {std::size_t{0}, page_size()}) {
    for (std::size_t bit = 0; bit < 40; ++bit) {
      std::string damaged = sound;
      damaged[meta + kNumberAt + bit / 8] ^= static_cast<char>(1 << bit % 8);
      set_contents(damaged);
      const Outcome outcome = load(false);
      if (outcome.opened.ok()) {
        ASSERT_TRUE(outcome.report.ok());
        EXPECT_EQ(outcome.nodes, 402u) << "meta page at " << meta << ", bit " << bit;
      } else {
        EXPECT_EQ(outcome.opened.code(), StatusCode::kCorruption) << outcome.opened.to_string();
      }
    }
  }
}

// LMDB would free as many pages as a large value's first page says, whoever uses them.
TEST_F(Damage, AWrongNumberOfPagesIsNotFreed) {
  std::string content = contents();
  const std::size_t size = page_size();
  std::size_t damaged = 0;
  for (std::size_t at = 2 * size; at + size <= content.size(); at += size) {
    std::uint64_t own_number = 0;
    std::memcpy(&own_number, content.data() + at, sizeof own_number);
    if (own_number != at / size || number_at(content, at + 10) != 4) continue;
    content[at + 12] ^= 0x40;
    ++damaged;
  }
  ASSERT_GE(damaged, 13u);
  set_contents(content);
  {
    auto store = open_store(path_, fast());
    auto index = reopen(*store);
    Loaded loaded(kDimension);
    ASSERT_TRUE(index->load(loaded, {}).ok()) << "what is read is sound";
    MemoryIndex model(index.get(), 1);
    EXPECT_FALSE(model.batch(3000, 1, false)) << "the first chunk would be written anew";
    index.reset();
    const Status dropped = store->drop_index("text");
    EXPECT_EQ(dropped.code(), StatusCode::kCorruption);
    EXPECT_NE(dropped.message().find("pages"), std::string::npos) << dropped.message();
  }
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

TEST_F(Damage, NodesRecord) {
  flip("1.nodes", 2, 77);
  EXPECT_EQ(load(false).report.status().code(), StatusCode::kCorruption);
  const Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 402u - 64u);
  EXPECT_EQ(outcome.report->salvaged, 1u);
}

TEST_F(Damage, LinksRecordIsLeftOutAndCounted) {
  flip("1.links", 3, 50);
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.report->damaged_links, 1u);
  EXPECT_EQ(outcome.report->messages.size(), 1u);
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.links, 392u);
  EXPECT_EQ(outcome.failures, 0u) << "it is gone: " << outcome.message;
  EXPECT_EQ(load(false).report->damaged_links, 0u);
}

// What is damaged in its key is met by no number: nothing is lost without a word.
TEST_F(Damage, RecordsUnderAWrongKey) {
  const auto move = [&](const std::string& database, std::uint32_t from, std::uint32_t to) {
    edit(database, [&](Transaction& transaction, DatabaseHandle handle) -> Status {
      const Key32 old_key(from);
      const Key32 new_key(to);
      Bytes found;
      EXPECT_TRUE(*transaction.get(handle, old_key.bytes(), &found));
      const std::vector<std::byte> value(found.begin(), found.end());
      Status s = transaction.remove(handle, old_key.bytes());
      return s.ok() ? transaction.put(handle, new_key.bytes(), value) : s;
    });
  };
  move("1.links", 7, 7 | 1u << 22);
  Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->damaged_links, 1u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;

  move("1.nodes", 3, 3 | 1u << 24);
  outcome = load(false);
  EXPECT_EQ(outcome.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(outcome.report.status().message().find("7 node blocks, 6 of them below block 7"),
            std::string::npos)
      << outcome.report.status().message();
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->salvaged, 1u);
  EXPECT_EQ(outcome.nodes, 402u - 64u);
  outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u - 64u);

  move("1.vectors", 1, 1 | 1u << 20);
  EXPECT_EQ(load(false).report.status().code(), StatusCode::kCorruption);
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u - 64u - 32u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

// A flipped bit in an LMDB page that writers rely on: refused, or nothing comes of it.
TEST_F(Damage, WritersDoNotFollowDamagedPages) {
  const std::string sound = contents();
  std::size_t refused = 0;
  std::size_t written = 0;
  const auto write_on = [&](const std::string& damaged) {
    set_contents(damaged);
    auto opened = StoreFile::open(path_, fast());
    if (!opened.ok()) {
      ++refused;
      return;
    }
    auto index = (*opened)->open_index("text");
    Loaded loaded(kDimension);
    if (!index.ok() || !(*index)->load(loaded, {}).ok()) {
      ++refused;
      return;
    }
    ++written;
    EXPECT_EQ(loaded.table.size(), 402u);
    MemoryIndex model(index->get(), 7);
    model.batch(0, 40);  // in place of what is there
    for (Label label = 5000; label < 5020; ++label) model.upsert(label);
    ASSERT_TRUE(model.checkpoint().ok());
    index->reset();
    opened->reset();
    auto again = StoreFile::open(path_, fast());
    ASSERT_TRUE(again.ok()) << again.status().to_string();
    auto reopened = (*again)->open_index("text");
    ASSERT_TRUE(reopened.ok());
    Loaded after(kDimension);
    EXPECT_TRUE((*reopened)->load(after, {}).ok());
  };
  for (const LmdbPage& page : lmdb_pages(sound, page_size())) {
    std::vector<std::size_t> places = {page.at + 12, page.at + 14, page.at + 16};
    for (const std::size_t node : page.nodes) {
      places.insert(places.end(), {node, node + 1, node + 4, node + 6, node + 8, node + 11});
    }
    for (const std::size_t place : places) {
      std::string damaged = sound;
      damaged[place] ^= static_cast<char>(1 << (1 + place % 3));
      write_on(damaged);
      if (HasFatalFailure()) FAIL() << "byte " << place;
    }
  }
  EXPECT_GT(refused, 50u);
  EXPECT_GT(written, 50u) << "in pages that are not used any more";
}

TEST_F(Damage, ThreadsReportWhatOneThreadReports) {
  for (const int nth : {0, 3, 17, 18, 49}) flip("1.links", nth, 50);
  const std::string damaged = contents();
  const Outcome one = load(false);
  set_contents(damaged);
  const Outcome three = load(false, true);
  ASSERT_TRUE(one.report.ok());
  ASSERT_TRUE(three.report.ok());
  EXPECT_EQ(three.report->damaged_links, 5u);
  EXPECT_EQ(three.report->messages, one.report->messages);
  EXPECT_EQ(three.nodes, 402u);
  EXPECT_EQ(three.links, 360u);

  flip("1.vectors", 12, 4711);
  flip("1.vectors", 1, 12345);
  EXPECT_EQ(load(false, true).report.status().to_string(), load(false).report.status().to_string());
  const Outcome salvaged = load(true, true);
  ASSERT_TRUE(salvaged.report.ok()) << salvaged.report.status().to_string();
  EXPECT_EQ(salvaged.report->salvaged, 2u);
  EXPECT_EQ(salvaged.nodes, 402u - 32u - 16u);
  EXPECT_EQ(load(false).nodes, salvaged.nodes);
}

TEST_F(Damage, JournalEntry) {
  flip("1.journal", 0, 999);
  const Outcome failed = load(false);
  EXPECT_EQ(failed.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(failed.report.status().message().find("journal entry 3"), std::string::npos)
      << failed.report.status().message();
  const Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 401u);
  EXPECT_EQ(outcome.report->salvaged, 1u);
}

// What was set aside is gone for good: the store is sound afterwards and takes writes.
TEST_F(Damage, SalvageMends) {
  flip("1.vectors", 1, 12345);
  flip("1.nodes", 5, 77);
  flip("1.journal", 0, 999);
  const Outcome first = load(true);
  ASSERT_TRUE(first.report.ok());
  EXPECT_EQ(first.failures, 0u) << first.message;
  const Outcome second = load(false);
  ASSERT_TRUE(second.report.ok()) << second.report.status().to_string();
  EXPECT_EQ(second.nodes, first.nodes);
}

TEST_F(Damage, MetaRecords) {
  flip("1.meta", 0, 3);  // options
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
  flip("1.meta", 0, 3);
  flip("1.meta", 1, 3);  // state
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
}

TEST_F(Damage, CatalogRecords) {
  flip("catalog", 1, 3);
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
  flip("catalog", 0, 3);
  EXPECT_EQ(StoreFile::open(path_, {}).status().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace vicinal::persist::test
