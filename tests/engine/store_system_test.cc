// A store and its system: a disk that is full, a limit that is reached, forked children, files that
// are changed underneath, permissions.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "tests/child.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

namespace fs = std::filesystem;

/// For EXPECT_TRUE: says why not.
::testing::AssertionResult ok(const Status& status) {
  return status.ok() ? ::testing::AssertionSuccess()
                     : ::testing::AssertionFailure() << status.to_string();
}

/// A file system of its own, of a few MiB.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    fs::create_directories(path());
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, size) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  std::string path() const { return folder_.file("disk"); }

 private:
  TemporaryFolder folder_;
  bool mounted_ = false;
};

TEST(FullDisk, IsNamedWithItsBytesAndNothingIsLost) {
  const SmallDisk disk("size=6m");
  if (!disk.mounted()) GTEST_SKIP() << "no file system can be mounted here";
  for (const Durability durability : {Durability::kFull, Durability::kRelaxed}) {
    const std::string path = disk.path() + "/s";
    const std::string filler = disk.path() + "/filler";
    StoreOptions options;
    options.durability = durability;
    options.background = false;
    Store store = *Store::open(path, options);
    IndexOptions wide = small_options();
    wide.dimension = 256;
    Index index = *store.index("text", wide);
    Label label = 0;
    Status refused;
    while (refused.ok()) {
      refused = index.upsert(label, vector_of(label, 0, 256)).status();
      if (refused.ok()) ++label;
      ASSERT_LT(label, 100'000u);
    }
    EXPECT_EQ(refused.code(), StatusCode::kFull) << refused.to_string();
    for (const char* const word : {path.c_str(), "wanted", "free"}) {
      EXPECT_NE(refused.message().find(word), std::string::npos) << refused.to_string();
    }
    const std::vector<Label> more = labels_up_to(500, 50'000);
    EXPECT_EQ(index.upsert_batch(more, matrix_of(more, 0, 256)).status().code(), StatusCode::kFull);
    EXPECT_EQ(store.backup(disk.path() + "/copy").code(), StatusCode::kFull);
    fs::remove_all(disk.path() + "/copy");
    EXPECT_EQ(index.size(), label);
    EXPECT_EQ(index.search(vector_of(0, 0, 256), {.k = 1})->hits[0].label, 0u);
    ASSERT_EQ(::mount("tmpfs", disk.path().c_str(), "tmpfs", MS_REMOUNT, "size=40m"), 0);
    ASSERT_TRUE(index.upsert(label, vector_of(label, 0, 256)).ok());
    ASSERT_OK(store.close());
    store = *Store::open(path, options);
    index = *store.open_index("text");
    EXPECT_EQ(index.size(), label + 1);
    expect_sound(index, true);
    ASSERT_OK(store.close());
    fs::remove_all(path);
    ASSERT_EQ(::mount("tmpfs", disk.path().c_str(), "tmpfs", MS_REMOUNT, "size=6m"), 0);
  }
}

// N3
TEST(FullMap, WhatGivesRoomBackGoesOn) {
  for (const std::uint64_t limit : {std::uint64_t{1} << 20, std::uint64_t{3} << 20}) {
    TemporaryFolder folder;
    StoreOptions options = quick_store();
    options.max_map_bytes = limit;
    options.background = false;
    IndexOptions wide = small_options();
    wide.dimension = 64;
    Store store = *Store::open(folder.file("s"), options);
    Index index = *store.index("text", wide);
    Label label = 0;
    Status refused;
    while (refused.ok()) {
      refused = index.upsert(label, vector_of(label, 0, 64)).status();
      if (refused.ok()) ++label;
    }
    EXPECT_EQ(refused.code(), StatusCode::kFull) << refused.to_string();
    EXPECT_NE(refused.message().find(std::to_string(limit)), std::string::npos)
        << refused.to_string();
    for (Label erased = 0; erased < label / 4; ++erased) {
      ASSERT_TRUE(ok(index.erase(erased).status())) << erased << " of " << label;
    }
    std::vector<Label> half;
    for (Label erased = label / 4; erased < label / 2; ++erased) half.push_back(erased);
    ASSERT_OK(index.erase_batch(half).status());
    ASSERT_OK(store.checkpoint());
    ASSERT_OK(index.repair().status());
    ASSERT_OK(store.checkpoint());
    std::size_t again = 0;
    for (Label fresh = 0; fresh < label / 8; ++fresh) {
      again += index.upsert(1'000'000 + fresh, vector_of(fresh, 1, 64)).ok() ? 1 : 0;
    }
    EXPECT_GT(again, 0u) << "of " << label / 8;
    const std::uint64_t size = index.size();
    ASSERT_OK(store.close());
    EXPECT_LE(fs::file_size(folder.file("s") + "/data.mdb"), limit);
    store = *Store::open(folder.file("s"), options);
    index = *store.open_index("text");
    EXPECT_EQ(index.size(), size);
    expect_sound(index, true);
  }
}

// A limit that is set below what the file has already: its free pages are not room for upserts.
TEST(FullMap, ALimitBelowTheFileKeepsRoomToo) {
  TemporaryFolder folder;
  StoreOptions options = quick_store();
  options.background = false;
  IndexOptions wide = small_options();
  wide.dimension = 64;
  Store store = *Store::open(folder.file("s"), options);
  Index index = *store.index("text", wide);
  const std::vector<Label> labels = labels_up_to(6000);
  for (const Label label : labels) {
    ASSERT_OK(index.upsert(label, vector_of(label, 0, 64)).status());
  }
  ASSERT_OK(store.close());  // the journal's pages are free now
  const std::uint64_t bytes = fs::file_size(folder.file("s") + "/data.mdb");
  for (const std::uint64_t limit : {bytes / 8, bytes / 2, bytes - bytes / 8}) {
    options.max_map_bytes = limit;
    store = *Store::open(folder.file("s"), options);
    index = *store.open_index("text");
    Status refused;
    for (Label label = 1'000'000; refused.ok() && label < 1'020'000; ++label) {
      refused = index.upsert(label, vector_of(label, 0, 64)).status();
    }
    EXPECT_EQ(refused.code(), StatusCode::kFull) << refused.to_string();
    for (Label label = 0; label < 50; ++label) ASSERT_OK(index.erase(label).status());
    ASSERT_OK(index.checkpoint());
    ASSERT_OK(index.repair().status());
    ASSERT_OK(index.checkpoint());
    ASSERT_OK(store.close());
  }
  store = *Store::open(folder.file("s"), options);
  ASSERT_OK(store.drop_index("text"));
}

TEST(Folder, MayBeNamedFromWhereTheProcessWasOnce) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.file("."));
  Store store = *Store::open("s", quick_store());
  fs::current_path("/");
  EXPECT_TRUE(ok(store.backup(folder.file("copy"))));
  EXPECT_CODE(store.backup(folder.file("s") + "/inside"), kInvalidArgument, "own folder");
  fs::current_path(before);
}

// A service blocks a signal in its threads and waits for it in one: no thread of the library's takes it.
TEST(Signals, AreLeftToTheHostsThreads) {
  static std::atomic<int> handled{0};
  struct sigaction before {};
  struct sigaction counts {};
  counts.sa_handler = [](int) { ++handled; };
  ASSERT_EQ(::sigaction(SIGUSR1, &counts, &before), 0);
  const TemporaryFolder folder;
  StoreOptions options;
  options.durability = Durability::kFull;  // whose commits have a thread
  Store store = *Store::open(folder.file("s"), options);
  IndexOptions threads = small_options();
  threads.threads = 4;
  Index index = *store.index("text", threads);
  const std::vector<Label> labels = labels_up_to(2000);
  ASSERT_OK(index.upsert_batch(labels, matrix_of(labels)).status());
  ASSERT_OK(index.upsert(1, vector_of(1)).status());
  ASSERT_OK(index.search_batch(matrix_of(labels_up_to(64)), {.k = 5}, 4).status());
  ASSERT_OK(index.search(vector_of(1), {.k = 5, .recall = 0.9}).status());  // whose thread learns

  sigset_t usr1;
  ::sigemptyset(&usr1);
  ::sigaddset(&usr1, SIGUSR1);
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &usr1, nullptr), 0);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  timespec longest{10, 0};
  EXPECT_EQ(::sigtimedwait(&usr1, nullptr, &longest), SIGUSR1) << handled;
  EXPECT_EQ(handled, 0);
  ASSERT_OK(store.close());
  ASSERT_EQ(::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr), 0);
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(Fork, AChildMayReadForItselfAndInheritedHandlesAnswer) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  Store store = *Store::open(path, quick_store());
  Index index = *store.index("text", small_options());
  const std::vector<Label> labels = labels_up_to(500);
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
  ASSERT_TRUE(index.search_batch(matrix_of(labels)).ok()) << "helpers are started";
  const auto refused = [](const Status& status) {
    return status.code() == StatusCode::kClosed &&
           status.message().find("fork") != std::string::npos;
  };
  EXPECT_EQ(in_child([&] {
              if (!refused(index.search(vector_of(1)).status())) return 1;
              if (!refused(index.upsert(1, vector_of(1, 1)).status())) return 2;
              if (!refused(index.erase(1).status())) return 3;
              if (!refused(index.get(1).status())) return 4;
              if (!refused(index.upsert_batch(labels, matrix_of(labels, 1)).status())) return 5;
              if (!refused(store.checkpoint())) return 6;
              if (!refused(store.index("text", small_options()).status())) return 7;
              if (!refused(store.close())) return 8;
              return 0;
            }),
            0);
  EXPECT_EQ(in_child([&] {
              StoreOptions reading = quick_store();
              reading.read_only = true;
              Result<Store> own = Store::open(path, reading);
              if (!own.ok()) return 1;
              const Result<Index> seen = own->open_index("text");
              if (!seen.ok() || seen->size() != 500) return 2;
              if (seen->search(vector_of(7), {.k = 1})->hits[0].label != 7) return 3;
              return own->close().ok() ? 0 : 4;
            }),
            0);
  EXPECT_EQ(in_child([&] {
              return Store::open(path, quick_store()).status().code() == StatusCode::kBusy ? 0 : 1;
            }),
            0);
  // Handles end with the child, by assignment and by exit().
  EXPECT_EQ(in_child([&] {
              index = *Index::in_memory(small_options());
              if (!index.upsert_batch(labels, matrix_of(labels)).ok()) return 1;
              if (index.search(vector_of(3), {.k = 1})->hits[0].label != 3) return 2;
              store = *Store::open(path + "2", quick_store());
              return 0;
            }),
            0);
  ASSERT_TRUE(index.upsert(1000, vector_of(1000)).ok());
  expect_sound(index, true);
  ASSERT_OK(store.close());
}

TEST(Fork, AChildDoesNotKeepAStoreWhoseOwnerDied) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  int alive[2];
  ASSERT_EQ(::pipe(alive), 0);
  pid_t grandchild = 0;
  EXPECT_EQ(in_child([&] {
              Result<Store> store = Store::open(path, quick_store());
              if (!store.ok()) return 1;
              const pid_t worker = ::fork();
              if (worker == 0) {  // it is through fork() when it says who it is
                const pid_t own = ::getpid();
                if (::write(alive[1], &own, sizeof own) != sizeof own) ::_exit(1);
                for (;;) ::pause();
              }
              ::raise(SIGKILL);
              return 3;
            }),
            128 + SIGKILL);
  ASSERT_EQ(::read(alive[0], &grandchild, sizeof grandchild), ssize_t{sizeof grandchild});
  EXPECT_TRUE(ok(Store::open(path, quick_store()).status()));
  ::kill(grandchild, SIGKILL);
  ::close(alive[0]);
  ::close(alive[1]);
}

// N4
TEST(ChangedUnderneath, NothingMoreIsWrittenAndReadingGoesOn) {
  const auto file = [](const std::string& path) { return path + "/data.mdb"; };
  using Change = std::function<void(const std::string& path, const std::string& copy)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"No such file", [](const std::string& path, const std::string&) { fs::remove_all(path); }},
      {"another file",
       [&](const std::string& path, const std::string& copy) {
         fs::copy(file(copy), file(path) + ".new");
         fs::rename(file(path) + ".new", file(path));
       }},
      {"somebody else",
       [&](const std::string& path, const std::string& copy) {
         // As cp does: the same inode, another content.
         std::ifstream from(file(copy), std::ios::binary);
         std::fstream to(file(path), std::ios::in | std::ios::out | std::ios::binary);
         to << from.rdbuf();
       }},
  };
  for (const auto& [words, change] : changes) {
    for (const bool by_checkpoint : {false, true}) {
      TemporaryFolder folder;
      StoreOptions options = quick_store();
      options.background = false;
      Store store = *Store::open(folder.file("s"), options);
      Index index = *store.index("text", small_options());
      ASSERT_OK(store.backup(folder.file("copy")));
      const std::vector<Label> labels = labels_up_to(300);
      ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
      for (Label label = 300; label < 310; ++label) {
        ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
      }
      change(folder.file("s"), folder.file("copy"));
      if (by_checkpoint) {
        EXPECT_CODE(store.checkpoint(), kIoError, words);
      }
      EXPECT_CODE(index.upsert(9000, vector_of(9000)).status(), kIoError, words);
      EXPECT_CODE(index.erase(1).status(), kIoError, words);
      EXPECT_EQ(index.size(), 310u);
      EXPECT_EQ(index.search(vector_of(5), {.k = 1})->hits[0].label, 5u);
      EXPECT_CODE(store.close(), kIoError, words);
    }
  }
}

TEST(Backup, IntoTheStoresOwnFolderIsRefused) {
  TemporaryFolder folder;
  const Store store = *Store::open(folder.file("s"), quick_store());
  fs::create_directory_symlink(folder.file("s"), folder.file("link"));
  for (const char* const target : {"s", "s/copy", "s/a/b", "link/copy", "x/../s/copy"}) {
    EXPECT_CODE(store.backup(folder.file(target)), kInvalidArgument, "s");
  }
  EXPECT_TRUE(ok(store.backup(folder.file("s2"))));
}

TEST(Permissions, AreTheUmasksOrTheOptions) {
  const auto modes = [](const std::string& path) {
    std::set<unsigned> found;
    for (const auto& entry : fs::directory_iterator(path)) {
      struct stat info {};
      ::stat(entry.path().c_str(), &info);
      found.insert(info.st_mode & 07777);
    }
    return found;
  };
  TemporaryFolder folder;
  const auto made = [&](const char* name, mode_t umask, std::uint32_t mode) {
    const mode_t before = ::umask(umask);
    StoreOptions options = quick_store();
    options.file_mode = mode;
    Store store = *Store::open(folder.file(name), options);
    EXPECT_TRUE(ok(store.backup(folder.file(name) + "-copy")));
    EXPECT_TRUE(ok(store.close()));
    ::umask(before);
    EXPECT_EQ(modes(folder.file(name)), modes(folder.file(name) + "-copy"));
    return modes(folder.file(name));
  };
  EXPECT_EQ(made("a", 022, 0666), std::set<unsigned>{0644});
  EXPECT_EQ(made("b", 007, 0666), std::set<unsigned>{0660});
  EXPECT_EQ(made("c", 022, 0600), std::set<unsigned>{0600});
}

TEST(Locking, ASecondCopyOfTheLibraryIsNamed) {
  TemporaryFolder folder;
  ASSERT_OK(Store::open(folder.file("s"), quick_store())->close());
  const int held = ::open((folder.file("s") + "/vicinal.lock").c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::flock(held, LOCK_EX | LOCK_NB), 0);
  EXPECT_CODE(Store::open(folder.file("s"), quick_store()).status(), kBusy,
              "in this process, by another copy");
  ::close(held);
  EXPECT_TRUE(ok(Store::open(folder.file("s"), quick_store()).status()));
}

}  // namespace
}  // namespace vicinal::testing
