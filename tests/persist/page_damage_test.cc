// Damaged pages of LMDB's own, which no checksum of ours covers: errors and not signals, and nobody
// writes by them.
#include <algorithm>
#include <cstring>

#include "tests/persist/damaged_store.h"

namespace vicinal::persist::test {
namespace {

class PageDamage : public DamagedStore {};

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

void expect_whole_or_refused(const DamagedStore::Outcome& outcome) {
  if (outcome.opened.ok()) {
    ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
    EXPECT_EQ(outcome.nodes, 402u);
  } else {
    EXPECT_EQ(outcome.opened.code(), StatusCode::kCorruption) << outcome.opened.to_string();
  }
}

// A flipped bit in a length, which no checksum of ours covers.
TEST_F(PageDamage, ALengthBeyondTheFileIsAnErrorAndNotASignal) {
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

TEST_F(PageDamage, FlippedBitsInPagesOfLmdbAreErrorsAndNotSignals) {
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

// A flipped bit in the number of the last commit, or in that of the one before, would undo a
// commit.
TEST_F(PageDamage, NumbersOfCommits) {
  const std::string sound = contents();
  constexpr std::size_t kNumberAt = 16 + 128;
  for (const std::size_t meta : {std::size_t{0}, page_size()}) {
    for (std::size_t bit = 0; bit < 40; ++bit) {
      std::string damaged = sound;
      damaged[meta + kNumberAt + bit / 8] ^= static_cast<char>(1 << bit % 8);
      set_contents(damaged);
      for (const bool read_only : {false, true}) {
        SCOPED_TRACE(::testing::Message() << "meta page at " << meta << ", bit " << bit);
        expect_whole_or_refused(load(false, false, read_only));
        set_contents(damaged);
      }
    }
  }
}

// LMDB finds out the newest commit by its number, and then reads the page where that number belongs.
TEST_F(PageDamage, MetaPagesInEachOthersPlace) {
  std::string damaged = contents();
  const std::size_t size = page_size();
  std::swap_ranges(damaged.begin(), damaged.begin() + static_cast<std::ptrdiff_t>(size),
                   damaged.begin() + static_cast<std::ptrdiff_t>(size));
  set_contents(damaged);
  for (const bool read_only : {true, false}) {
    const Status opened = load(false, false, read_only).opened;
    EXPECT_EQ(opened.code(), StatusCode::kCorruption) << opened.to_string();
    EXPECT_NE(opened.message().find("the other meta page"), std::string::npos)
        << opened.to_string();
  }
}

// LMDB's cursors go by the flags of a database, and assert what follows from them.
TEST_F(PageDamage, KindsOfDatabases) {
  const std::string sound = contents();
  const std::size_t size = page_size();
  std::vector<std::size_t> databases;
  for (const std::size_t meta : {std::size_t{0}, size}) {
    databases.insert(databases.end(), {meta + 16 + 24, meta + 16 + 24 + 48});
  }
  for (const LmdbPage& page : lmdb_pages(sound, size)) {
    for (const std::size_t node : page.nodes) {
      if (page.leaf && number_at(sound, node + 4) == 2) {
        databases.push_back(node + 8 + number_at(sound, node + 6));
      }
    }
  }
  ASSERT_GE(databases.size(), 4u + 6u);
  std::size_t refused = 0;
  for (const std::size_t database : databases) {
    for (std::size_t bit = 0; bit < 16; ++bit) {
      std::string damaged = sound;
      damaged[database + 4 + bit / 8] ^= static_cast<char>(1 << bit % 8);
      for (const bool read_only : {false, true}) {
        set_contents(damaged);
        SCOPED_TRACE(::testing::Message() << "database at " << database << ", bit " << bit);
        const Outcome outcome = load(false, false, read_only);
        expect_whole_or_refused(outcome);
        refused += outcome.opened.ok() ? 0 : 1;
      }
    }
  }
  EXPECT_GE(refused, std::size_t{2 * 16 * (2 + 6)}) << "but in pages that are not used any more";
}

/// Large values whose first pages say that there are more pages, or fewer.
std::size_t damage_numbers_of_pages(std::string& content, std::size_t size) {
  std::size_t damaged = 0;
  for (std::size_t at = 2 * size; at + size <= content.size(); at += size) {
    std::uint64_t own_number = 0;
    std::memcpy(&own_number, content.data() + at, sizeof own_number);
    if (own_number != at / size || number_at(content, at + 10) != 4) continue;
    content[at + 12] ^= 0x40;
    ++damaged;
  }
  return damaged;
}

// LMDB would free as many pages as a large value's first page says, whoever uses them.
TEST_F(PageDamage, AWrongNumberOfPagesIsNotFreed) {
  std::string content = contents();
  ASSERT_GE(damage_numbers_of_pages(content, page_size()), 13u);
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

// Opened to read, keys need not be in order: no search by them may lead back for ever.
TEST_F(PageDamage, KeysOutOfOrderEndAWalkOverIds) {
  const std::string sound = contents();
  StoreOptions options = fast();
  options.read_only = true;
  std::size_t told = 0;
  for (const LmdbPage& page : lmdb_pages(sound, page_size())) {
    for (const std::size_t node : page.nodes) {
      if (!page.leaf || number_at(sound, node + 6) <= 4) continue;
      std::string damaged = sound;
      std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(node + 8), 4, '\xFF');
      set_contents(damaged);
      const auto store = StoreFile::open(path_, options);
      if (!store.ok()) continue;
      std::vector<std::string> messages;
      const Result<std::uint64_t> failures = (*store)->verify_ids(&messages);
      ASSERT_TRUE(failures.ok()) << failures.status().to_string();
      EXPECT_EQ(*failures, messages.size());
      told += messages.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(told, 10u) << "others are in pages that are not used, or are passed by";
}

// And a compact copy would take as many, from behind the end of the file too.
TEST_F(PageDamage, AWrongNumberOfPagesIsNotCopied) {
  std::string content = contents();
  ASSERT_GE(damage_numbers_of_pages(content, page_size()), 13u);
  set_contents(content);
  for (const bool read_only : {true, false}) {
    StoreOptions options = fast();
    options.read_only = read_only;
    const auto store = open_store(path_, options);
    const Status copied = store->backup(folder_.file("copy"));
    EXPECT_EQ(copied.code(), StatusCode::kCorruption) << copied.to_string();
    EXPECT_NE(copied.message().find("pages, and holds a value"), std::string::npos)
        << copied.to_string();
    EXPECT_FALSE(std::filesystem::exists(folder_.file("copy")));
  }
}

// A flipped bit in an LMDB page that writers rely on: refused, or nothing comes of it.
TEST_F(PageDamage, WritersDoNotFollowDamagedPages) {
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

}  // namespace
}  // namespace vicinal::persist::test
