// Opening what is there and what is not; growing; limits; copies.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "persist/lmdb_env.h"
#include "tests/child.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

TEST(Open, NothingThere) {
  TemporaryFolder folder;
  StoreOptions options;
  options.create = false;
  EXPECT_EQ(open_code(folder.file("none"), options), StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(folder.file("none")));
  options.create = true;
  options.read_only = true;
  EXPECT_EQ(open_code(folder.file("none"), options), StatusCode::kNotFound);
  EXPECT_EQ(open_code("", {}), StatusCode::kInvalidArgument);
  EXPECT_EQ(open_code(folder.file("a/b/c")), StatusCode::kOk);
}

TEST(Open, AFileOrAFolderOfSomebodyElse) {
  TemporaryFolder folder;
  std::ofstream(folder.file("file")) << "text";
  EXPECT_EQ(open_code(folder.file("file")), StatusCode::kInvalidArgument);
  EXPECT_EQ(open_code(folder.file("file/below")), StatusCode::kInvalidArgument);
  std::filesystem::create_directory(folder.file("photos"));
  std::ofstream(folder.file("photos/cat.jpg")) << "meow";
  EXPECT_EQ(open_code(folder.file("photos")), StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(folder.file("photos/vicinal.lock")));
  std::filesystem::create_directory(folder.file("other"));
  std::ofstream(folder.file("other/data.mdb")) << std::string(20000, 'x');
  EXPECT_EQ(open_code(folder.file("other")), StatusCode::kCorruption);
}

TEST(Open, TwiceIsBusy) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  auto store = open_store(path);
  EXPECT_EQ(open_code(path), StatusCode::kBusy);
  std::filesystem::create_directory_symlink(path, folder.file("link"));
  EXPECT_EQ(open_code(folder.file("link")), StatusCode::kBusy);
  store.reset();
  EXPECT_EQ(open_code(path), StatusCode::kOk);
}

TEST(Open, AnotherProcessIsBusyAndReadersAreWelcome) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = testing::fork_child();
  if (child == 0) {
    auto store = StoreFile::open(path, {});
    if (!store.ok()) ::_exit(1);
    auto index = (*store)->create_index("text", options_of(4));
    if (!index.ok()) ::_exit(2);
    MemoryIndex model(index->get(), 1);
    model.batch(0, 10);
    char byte = 'r';
    if (::write(ready[1], &byte, 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(3);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(open_code(path), StatusCode::kBusy);
  {
    StoreOptions options;
    options.read_only = true;
    auto store = open_store(path, options);
    auto index = reopen(*store);
    Loaded loaded(4);
    ASSERT_TRUE(index->load(loaded, {}).ok());
    EXPECT_EQ(loaded.table.size(), 10u);
    EXPECT_EQ(index->append({}).status().code(), StatusCode::kReadOnly);
    EXPECT_EQ(index->append_batch({}).status().code(), StatusCode::kReadOnly);
    MemoryIndex source(index.get(), 1);
    EXPECT_EQ(source.checkpoint().status().code(), StatusCode::kReadOnly);
    EXPECT_EQ(store->create_index("x", options_of(4)).status().code(), StatusCode::kReadOnly);
    EXPECT_EQ(store->drop_index("text").code(), StatusCode::kReadOnly);
  }
  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(open_code(path), StatusCode::kOk);
}

TEST(Open, ReadOnlyFolder) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  { auto store = open_store(path); }
  ASSERT_EQ(::chmod(path.c_str(), 0555), 0);
  ASSERT_EQ(::chmod((path + "/lock.mdb").c_str(), 0444), 0);
  StoreOptions options;
  options.read_only = true;
  EXPECT_EQ(open_code(path, options), StatusCode::kOk);
}

/// A store with one index of so many rows, closed again.
void make_filled(const std::string& path, std::uint32_t dimension, std::size_t rows) {
  auto store = open_store(path, fast());
  auto index = create(*store, dimension);
  MemoryIndex model(index.get(), 1);
  model.batch(0, rows);
}

TEST(Open, TruncatedNamesBothNumbers) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  make_filled(path, 64, 2000);
  const std::string file = path + "/data.mdb";
  const auto size = std::filesystem::file_size(file);
  for (const auto cut :
       {size - 1, size / 2, std::uintmax_t{8192}, std::uintmax_t{5000}, std::uintmax_t{100}}) {
    std::filesystem::resize_file(file, cut);
    const Status status = StoreFile::open(path, {}).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption) << cut;
    EXPECT_NE(status.message().find(std::to_string(cut)), std::string::npos) << status.message();
  }
  std::filesystem::resize_file(file, 0);
  EXPECT_EQ(open_code(path), StatusCode::kCorruption) << "an empty file of a store that was made";
  std::filesystem::remove(file);
  EXPECT_EQ(open_code(path), StatusCode::kCorruption);
}

// A backup and a deep validation read for long; a database is made and opened beside them.
TEST(Open, HandlesWaitForNoReader) {
  TemporaryFolder folder;
  const Journal journal(folder.file("s"), Durability::kNone);
  const auto reader = journal.environment->read();
  ASSERT_TRUE(reader.ok());
  DatabaseHandle fresh = 0;
  const Key64 key(7);
  ASSERT_TRUE(journal.environment
                  ->with_handles([&](Transaction& t) -> Status {
                    const auto handle = t.open_database("fresh", true);
                    if (!handle) return handle.status();
                    fresh = *handle;
                    return t.put(fresh, key.bytes(), key.bytes());
                  })
                  .ok());
  {
    auto later = journal.environment->read();
    ASSERT_TRUE(later.ok());
    Bytes value;
    EXPECT_TRUE(*(*later)->get(fresh, key.bytes(), &value));
  }
  EXPECT_EQ(
      journal.environment
          ->with_handles([](Transaction& t) { return t.open_database("other", false).status(); })
          .code(),
      StatusCode::kNotFound);
}

// Killed between a commit that left free pages at the end unwritten and the lengthening of the
// file.
TEST(Open, N2FreePagesMayBeMissingAtTheEnd) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  make_filled(path, 8, 300);
  const std::string file = path + "/data.mdb";
  const auto used = std::filesystem::file_size(file);
  {
    auto environment = Environment::open(path, {});
    ASSERT_TRUE(environment.ok());
    const std::vector<std::byte> value(400'000);
    ASSERT_TRUE((*environment)
                    ->with_handles([&](Transaction& t) {
                      const auto handle = t.open_database("large", true);
                      return handle.ok() ? t.put(*handle, text_key("k"), value) : handle.status();
                    })
                    .ok());
    ASSERT_TRUE((*environment)
                    ->with_handles([&](Transaction& t) {
                      const auto handle = t.open_database("large", false);
                      return handle.ok() ? t.remove(*handle, text_key("k")) : handle.status();
                    })
                    .ok());
  }
  const auto size = std::filesystem::file_size(file);
  ASSERT_GT(size, used + 300'000);
  std::filesystem::resize_file(file, size - 300'000);
  StoreOptions reading;
  reading.read_only = true;
  EXPECT_EQ(open_code(path, reading), StatusCode::kOk);
  EXPECT_EQ(std::filesystem::file_size(file), size - 300'000);
  {
    auto store = open_store(path, fast());
    create(*store, 8, "another");
    std::unique_ptr<IndexRecords> index;
    Loaded loaded(8);
    EXPECT_TRUE(reload(*store, index, loaded).ok());
    EXPECT_EQ(loaded.table.size(), 300u);
  }
  EXPECT_GE(std::filesystem::file_size(file), size);
  std::filesystem::resize_file(file, used / 2);
  const Status status = StoreFile::open(path, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_NE(status.message().find("truncated"), std::string::npos) << status.message();
  EXPECT_EQ(open_code(path, reading), StatusCode::kCorruption);
}

// A page that is neither there nor known to be free: readers do not miss it.
TEST(Open, AMissingPageThatIsNotFreeIsRefusedForWriting) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  {
    auto store = open_store(path, fast());
    create(*store, 8);
  }
  {
    std::fstream file(path + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary);
    for (const std::streamoff meta : {std::streamoff{0}, std::streamoff{::getpagesize()}}) {
      constexpr std::streamoff kLastPage = 16 + 120;
      std::uint64_t last = 0;
      file.seekg(meta + kLastPage);
      file.read(reinterpret_cast<char*>(&last), sizeof last);
      ++last;
      file.seekp(meta + kLastPage);
      file.write(reinterpret_cast<const char*>(&last), sizeof last);
    }
  }
  const Status status = StoreFile::open(path, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_NE(status.message().find("truncated"), std::string::npos) << status.message();
  StoreOptions reading;
  reading.read_only = true;
  EXPECT_EQ(open_code(path, reading), StatusCode::kOk);
}

TEST(Open, InterruptedMakingIsNoStoreYet) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("s"));
  std::ofstream(folder.file("s/data.mdb")).flush();
  std::ofstream(folder.file("s/vicinal.lock")).flush();
  EXPECT_EQ(open_code(folder.file("s")), StatusCode::kOk);
}

// Killed after LMDB made its file and before anything was committed.
TEST(Open, AFileWithoutACommitIsNoStoreYet) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("s"));
  ASSERT_TRUE(Environment::open(folder.file("s"), {}).ok());
  ASSERT_GT(std::filesystem::file_size(folder.file("s/data.mdb")), 0u);
  StoreOptions reading;
  reading.read_only = true;
  EXPECT_EQ(open_code(folder.file("s"), reading), StatusCode::kNotFound);
  EXPECT_EQ(open_code(folder.file("s")), StatusCode::kOk);
  EXPECT_EQ(open_code(folder.file("s"), reading), StatusCode::kOk);
}

TEST(Store, Names) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  for (const std::string& bad : {std::string(), std::string("a/b"), std::string(101, 'a'),
                                 std::string("\0", 1), std::string("white space")}) {
    EXPECT_EQ(store->create_index(bad, options_of(4)).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(store->create_index("a", options_of(0)).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(store->open_index("a").status().code(), StatusCode::kNotFound);
  auto b = create(*store, 4, "b");
  auto a = create(*store, 5, "a");
  EXPECT_EQ(*store->index_names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(store->create_index("a", options_of(5)).status().code(), StatusCode::kInvalidArgument);
  StoredOptions options;
  ASSERT_TRUE(store->stored_stats("a", options).ok());
  EXPECT_EQ(options.dimension, 5u);
  EXPECT_EQ(store->stored_stats("c", options).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store->drop_index("a").code(), StatusCode::kBusy);
  a.reset();
  EXPECT_TRUE(store->drop_index("a").ok());
  EXPECT_EQ(store->drop_index("a").code(), StatusCode::kNotFound);
  EXPECT_EQ(*store->index_names(), std::vector<std::string>{"b"});
}

// P5: a reader left behind by an earlier call would hold up the growing map for ever.
TEST(Store, N1P5GrowsFromATinyMap) {
  TemporaryFolder folder;
  StoreOptions options = fast();
  options.map_bytes = 64 << 10;
  auto store = open_store(folder.file("s"), options);
  auto index = create(*store, 128);
  MemoryIndex model(index.get(), 1);
  for (Label label = 0; label < 500; ++label) model.upsert(label);
  EXPECT_EQ(index->stats().journal_entries, 500u);
  std::vector<std::string> messages;
  EXPECT_EQ(*index->verify(&messages), 0u);
  model.batch(1000, 5000);
  ASSERT_TRUE(model.checkpoint().ok());
  index.reset();
  store.reset();
  store = open_store(folder.file("s"), options);
  index = reopen(*store);
  Loaded loaded(128);
  ASSERT_TRUE(index->load(loaded, {}).ok());
  EXPECT_EQ(loaded.table.size(), 5500u);
}

TEST(Store, FullKeepsWhatIsThere) {
  TemporaryFolder folder;
  StoreOptions options = fast();
  options.max_map_bytes = 4 << 20;
  auto store = open_store(folder.file("s"), options);
  auto index = create(*store, 64);
  MemoryIndex model(index.get(), 1);
  model.batch(0, 1000);
  EXPECT_FALSE(model.batch(10000, 100000, false));
  Operation op;
  const std::vector<float> row = make_row(1, 1, 64);
  op.row = std::as_bytes(std::span(row));
  op.node = graph::NodeId{200000};
  std::vector<graph::NodeId> nodes(5'000'000, graph::NodeId{1});
  Operation large;
  large.kind = OperationKind::kFree;
  large.nodes = nodes;
  const Status full = index->append(large).status();
  EXPECT_EQ(full.code(), StatusCode::kFull);
  EXPECT_NE(full.message().find("4194304"), std::string::npos) << full.message();
  model.upsert(5000);  // small things still fit
  Loaded loaded(64);
  ASSERT_TRUE(reload(*store, index, loaded).ok());
  EXPECT_EQ(loaded.live().size(), 1001u);
}

TEST(Store, BackupOpensAndEquals) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 32);
  MemoryIndex model(index.get(), 1);
  model.batch(0, 3000);
  ASSERT_TRUE(model.checkpoint().ok());
  for (Label label = 0; label < 50; ++label) model.upsert(label);
  ASSERT_TRUE(store->backup(folder.file("copy")).ok());
  EXPECT_EQ(store->backup(folder.file("copy")).code(), StatusCode::kInvalidArgument);
  std::filesystem::create_directory(folder.file("full"));
  std::ofstream(folder.file("full/x")) << "x";
  EXPECT_EQ(store->backup(folder.file("full")).code(), StatusCode::kInvalidArgument);
  auto copy = open_store(folder.file("copy"), fast());
  EXPECT_LE(copy->bytes_on_disk(), store->bytes_on_disk());
  auto copied = reopen(*copy);
  Loaded loaded(32);
  ASSERT_TRUE(copied->load(loaded, {}).ok());
  EXPECT_EQ(loaded.table.size(), model.table.size());
  for (const auto& [id, node] : model.table) EXPECT_TRUE(loaded.table.at(id) == node);
}

TEST(Store, CancelledLoadAndCheckpoint) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 32);
  MemoryIndex model(index.get(), 1);
  model.upsert(1);
  const ProgressCallback no = [](const Progress&) { return false; };
  EXPECT_EQ(index->checkpoint(model, no).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(model.checkpoint()->journal_entries, 1u);
  Loaded loaded(32);
  EXPECT_EQ(index->load(loaded, {.progress = no}).status().code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace vicinal::persist::test
