#include "tests/damage/leaks.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/damage/expected.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kDimension = 8;
// What an allocator keeps back and the kernel rounds is less; 10,000 openings that each lose a
// kilobyte are more.
constexpr std::uint64_t kMostMemory = 8 << 20;

std::uint64_t entries_of(const char* folder) {
  return static_cast<std::uint64_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::uint64_t lines_of(const char* path) {
  std::ifstream file(path);
  return static_cast<std::uint64_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// The allocator's own come and go by a few (six more were seen); a leak has one for each opening.
constexpr std::uint64_t kMostMaps = 24;

/// What this process holds.
struct Held {
  std::uint64_t descriptors = entries_of("/proc/self/fd");
  std::uint64_t threads = entries_of("/proc/self/task");
  std::uint64_t maps = lines_of("/proc/self/maps");
  std::uint64_t memory = resident_bytes();
};

IndexOptions graph_options() {
  IndexOptions options;
  options.dimension = kDimension;
  options.M = 4;
  options.ef_construction = 40;
  options.threads = 2;
  options.reserve = 500;
  return options;
}

/// One opening, another way each time.
void open_once(const std::string& path, std::uint64_t n) {
  StoreOptions options;
  options.durability = n % 3 == 0 ? Durability::kNone : Durability::kRelaxed;
  options.read_only = n % 4 == 1;
  options.background = n % 2 == 0;
  Store store = must(Store::open(path, options), "opening");
  const Index index = must(store.open_index("text"), "opening the index");
  must(index.get(1).status(), "get");
  must(must(index.search(row_of(2, 0, kDimension)), "search").size() == 10, "search");
  must(store.stored_stats("text").status(), "stored_stats");
  if (!options.read_only) {
    must(Store::open(path, options).status().code() == StatusCode::kBusy, "opened twice");
    const Label label = 1000 + n % 50;
    must(Index(index).upsert(label, row_of(label, n, kDimension)).status(), "upsert");
    must(Index(index).erase(1000 + (n + 25) % 50).status(), "erase");
  }
  if (n % 16 == 0) {
    must(store.index("other", graph_options()).status(), "making an index");
    must(store.drop_index("other"), "drop");
    const std::string copy = path + "-copy";
    must(store.backup(copy), "backup");
    fs::remove_all(copy);
  }
  must(Store::open(path + "-absent", {.create = false}).status().code() == StatusCode::kNotFound,
       "an absent store");
  if (n % 5 != 0) must(store.close(), "closing");  // else by its last handle
}

}  // namespace

Keeper::Keeper(const std::string& path) {
  int ready[2];
  must(::pipe(ready) == 0, "no pipe");
  child_ = ::fork();
  if (child_ == 0) {
    const Result<Store> store = Store::open(path, {.read_only = true, .background = false});
    const char answer = store.ok() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 'n';
  const bool said = ::read(ready[0], &answer, 1) == 1;
  ::close(ready[0]);
  ::close(ready[1]);
  must(said && answer == 'y', "a reader cannot open the store");
}

Keeper::~Keeper() {
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

// LMDB 0.9 on a 64-bit host: two blocks of 64 bytes, then slots of 64: transaction u64, process i32.
std::size_t slots_in_use(const std::string& path) {
  constexpr std::size_t kSlot = 64;
  std::ifstream file(path + "/lock.mdb", std::ios::binary);
  const std::string table{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  std::size_t used = 0;
  for (std::size_t at = 2 * kSlot; at + kSlot <= table.size(); at += kSlot) {
    std::int32_t process = 0;
    std::memcpy(&process, table.data() + at + sizeof(std::uint64_t), sizeof process);
    used += process != 0 ? 1 : 0;
  }
  return used;
}

void open_and_close(Campaign& campaign, std::uint64_t times) {
  const std::string path = campaign.file("opened");
  {
    Store store = must(Store::open(path, {.durability = Durability::kNone}), "making the store");
    Index index = must(store.index("text", graph_options()), "making the index");
    for (Label label = 0; label < 100; ++label) {
      must(index.upsert(label, row_of(label, 0, kDimension)).status(), "upsert");
    }
    must(store.close(), "closing");
  }
  const Keeper keeper(path);
  const std::uint64_t warm = std::max<std::uint64_t>(times / 10, 32);
  Held before;
  std::size_t slots = 0;
  for (std::uint64_t n = 0; n < times; ++n) {
    open_once(path, n);
    if (n + 1 == warm) {
      before = Held();
      slots = slots_in_use(path);
    }
  }
  const Held after;
  campaign.add("openings", times);
  must(times > warm, "too few openings to tell anything");
  const auto same = [](const char* what, std::uint64_t then, std::uint64_t now) {
    must(then == now, fmt::format("{} {} after the first openings, {} after all", then, what, now));
  };
  same("descriptors", before.descriptors, after.descriptors);
  same("threads", before.threads, after.threads);
  same("slots", slots, slots_in_use(path));
  must(after.maps <= before.maps + kMostMaps,
       fmt::format("{} maps after the first openings, {} after all", before.maps, after.maps));
  campaign.add("bytes of memory more after them",
               after.memory > before.memory ? after.memory - before.memory : 0);
  must(after.memory <= before.memory + kMostMemory,
       fmt::format("{} bytes of memory after the first openings, {} after all", before.memory,
                   after.memory));
}

}  // namespace vicinal::testing
