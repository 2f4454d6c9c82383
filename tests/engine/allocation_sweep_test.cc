// Memory that runs out anywhere: the k-th allocation fails once, or all from the k-th on, for every
// k of every verb, through the allocator hook, operator new and malloc (LMDB's and other
// libraries'). Afterwards the index is as if the call had not been made, or as if it had: sound,
// with every acknowledged state after reopening, and the same call succeeds (E10).
#include <dlfcn.h>
#include <sys/prctl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "tests/engine/engine_testing.h"
#include "vicinal/memory.h"

namespace {

// Armed by the test around one call; counts allocations of its thread only.
thread_local bool armed = false;
thread_local long left = 0;
thread_local bool lasting = false;
thread_local long refused = 0;

bool refuses() {
  if (!armed) return false;
  const bool refuse = lasting ? left <= 0 : left == 0;
  --left;
  refused += refuse ? 1 : 0;
  return refuse;
}

void* real_malloc(std::size_t size) {
  using Malloc = void* (*)(std::size_t);
  static const Malloc next = reinterpret_cast<Malloc>(dlsym(RTLD_NEXT, "malloc"));
  return next(size);
}

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The libraries' allocations, operator new among them. Under a sanitizer malloc is the sanitizer's.
extern "C" void* malloc(std::size_t size) { return refuses() ? nullptr : real_malloc(size); }
constexpr bool kNewCountsByItself = false;
constexpr long kEvery = 200;  // each of so many allocations, then one of kStep
constexpr long kStep = 7;
#else
constexpr bool kNewCountsByItself = true;
constexpr long kEvery = 20;
constexpr long kStep = 19;
#endif

// The two belong together, which the compiler cannot see where it inlines one of them.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size) {
  if (kNewCountsByItself && refuses()) throw std::bad_alloc();
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }

namespace vicinal::testing {
namespace {

void* hook_allocate(std::size_t size, std::size_t alignment) {
  if (refuses()) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void hook_deallocate(void* memory, std::size_t /*size*/, std::size_t /*alignment*/) {
  std::free(memory);
}
/// Once per process, before the library has allocated anything and after whoever plugs in another.
bool allocator_is_ours() {
  static const bool set = set_allocator({hook_allocate, hook_deallocate});
  return set;
}

/// Thousands of tiny indexes are made: clearing huge pages for them would take longer than all
/// else.
const bool kSmallPages = prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;

/// The generation of each live label.
using State = std::map<Label, int>;

/// An index in memory or in a store, in a state that the sweep begins with.
class World {
 public:
  explicit World(bool stored, bool vectors_in_memory = true) : stored_(stored) {
    options_ = small_options();
    options_.dimension = 6;
    options_.M = 4;
    options_.ef_construction = 16;
    options_.threads = 1;
    options_.repair_share = 0;
    options_.vectors_in_memory = vectors_in_memory;
    open();
    for (Label label = 0; label < 24; ++label) put(label, 0);
    for (Label label = 20; label < 24; ++label) must(index_->erase(label).ok());
    state_ = seen();
  }

  Index& index() { return *index_; }
  Store* store() { return store_ ? &*store_ : nullptr; }
  const State& state() const { return state_; }
  std::vector<float> vector(Label label, int generation) const {
    return vector_of(label, static_cast<std::uint64_t>(generation), 6);
  }
  void put(Label label, int generation) {
    must(index_->upsert(label, vector(label, generation)).ok());
  }
  static void must(bool ok) {
    if (!ok) std::abort();
  }

  /// What get() says of the labels that the sweep uses.
  State seen() const {
    State state;
    for (Label label = 0; label < 60; ++label) {
      const Result<std::vector<float>> got = index_->get(label);
      if (!got) continue;
      for (int generation = 0; generation < 3; ++generation) {
        if (*got == vector(label, generation)) state[label] = generation;
      }
      if (!state.contains(label)) state[label] = -1;
    }
    return state;
  }
  /// What a search for everything says; a label that stands twice gets -2.
  State searched(bool exact) const {
    State state;
    const Result<SearchResult> found =
        index_->search(vector(3, 0), {.k = 100, .ef_search = 200, .exact = exact});
    if (!found) return {{0, -3}};
    for (const Hit& hit : *found) {
      const auto [at, fresh] = state.emplace(hit.label, 0);
      if (!fresh) at->second = -2;
    }
    return state;
  }
  void reopen() {
    if (!stored_) return;
    close();
    open();
  }
  void close() {
    index_.reset();
    if (store_) must(store_->close().ok());
    store_.reset();
  }
  /// As close(), but nobody is told.
  void let_go() {
    index_.reset();
    store_.reset();
  }
  /// Opens what close() has closed, if it is.
  Status open_store() {
    if (!store_) {
      StoreOptions store_options;
      store_options.durability = Durability::kNone;
      store_options.background = false;
      store_options.map_bytes = 1 << 20;
      Result<Store> store = Store::open(folder_.file("store"), store_options);
      if (!store) return store.status();
      store_ = *store;
    }
    if (!index_) {
      Result<Index> index = store_->index("t", options_);
      if (!index) return index.status();
      index_ = *index;
    }
    return {};
  }
  std::string other_folder() const { return folder_.file("copy"); }
  bool stored() const { return stored_; }

 private:
  void open() {
    if (!stored_) {
      index_ = *Index::in_memory(options_);
      return;
    }
    must(open_store().ok());
  }

  const bool stored_;
  IndexOptions options_;
  TemporaryFolder folder_;
  std::optional<Store> store_;
  std::optional<Index> index_;
  State state_;
};

struct Verb {
  const char* name;
  std::function<Status(World&)> call;
  std::function<void(State&)> done;  ///< what the call makes of the state
};

std::vector<Verb> verbs() {
  const auto batch = [](World& world, std::vector<Label> labels, int generation) {
    std::vector<float> rows;
    for (const Label label : labels) {
      const std::vector<float> row = world.vector(label, generation);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    return world.index().upsert_batch(labels, rows).status();
  };
  const auto nothing = [](State&) {};
  return {
      {"insert", [](World& w) { return w.index().upsert(50, w.vector(50, 1)).status(); },
       [](State& s) { s[50] = 1; }},
      {"update", [](World& w) { return w.index().upsert(3, w.vector(3, 1)).status(); },
       [](State& s) { s[3] = 1; }},
      {"resurrect", [](World& w) { return w.index().upsert(21, w.vector(21, 0)).status(); },
       [](State& s) { s[21] = 0; }},
      {"erase", [](World& w) { return w.index().erase(5).status(); }, [](State& s) { s.erase(5); }},
      {"erase_batch",
       [](World& w) {
         return w.index().erase_batch(std::vector<Label>{1, 2, 22}).status();
       },
       [](State& s) {
         s.erase(1);
         s.erase(2);
       }},
      {"batch",
       [=](World& w) {
         return batch(w, {4, 23, 51, 52, 53, 54}, 1);
       },
       [](State& s) {
         for (const Label label : {4, 23, 51, 52, 53, 54}) s[label] = 1;
       }},
      {"batch that resurrects",
       [=](World& w) {
         return batch(w, {20, 21}, 0);
       },
       [](State& s) { s[20] = s[21] = 0; }},
      {"repair", [](World& w) { return w.index().repair().status(); }, nothing},
      {"rebuild", [](World& w) { return w.index().rebuild(); }, nothing},
      {"checkpoint", [](World& w) { return w.index().checkpoint(); }, nothing},
      {"search", [](World& w) { return w.index().search(w.vector(9, 0), {.k = 30}).status(); },
       nothing},
      {"filtered search",
       [](World& w) {
         SearchOptions options{.k = 5};
         options.filter = Filter::among(LabelSet(std::vector<Label>{1, 2, 3, 40}));
         return w.index().search(w.vector(9, 0), options).status();
       },
       nothing},
      {"get", [](World& w) { return w.index().get(7).status(); }, nothing},
      {"for_each",
       [](World& w) {
         return w.index().for_each([](Label, std::span<const float>) { return true; });
       },
       nothing},
      {"validate", [](World& w) { return w.index().validate({.deep = true}).status(); }, nothing},
      {"open",
       [](World& w) {
         if (!w.stored()) return Status();
         const bool was_armed = std::exchange(armed, false);
         w.close();
         armed = was_armed;
         return w.open_store();
       },
       nothing},
      {"backup",
       [](World& w) {
         if (!w.stored()) return Status();
         const bool was_armed = std::exchange(armed, false);
         std::filesystem::remove_all(w.other_folder());
         armed = was_armed;
         return w.store()->backup(w.other_folder());
       },
       nothing},
      {"stats",
       [](World& w) {
         w.index().stats();
         return Status();
       },
       nothing},
  };
}

/// Calls with the k-th allocation failing. False: the call needed fewer, none failed.
bool fails_at(World& world, const Verb& verb, long k, bool for_good, bool* completed) {
  *completed = false;
  refused = 0;
  left = k;
  lasting = for_good;
  armed = true;
  try {
    const Status status = verb.call(world);
    armed = false;
    *completed = status.ok();
  } catch (const std::bad_alloc&) {
    armed = false;
  }
  return refused > 0;
}

void expect_whole(World& world, const Verb& verb, bool completed) {
  State after = world.state();
  verb.done(after);
  if (world.stored()) ASSERT_OK(world.open_store());
  const State seen = world.seen();
  if (completed) {
    ASSERT_EQ(seen, after);
  } else {
    ASSERT_TRUE(seen == world.state() || seen == after) << ::testing::PrintToString(seen);
  }
  for (const bool exact : {false, true}) {
    const State searched = world.searched(exact);
    ASSERT_EQ(searched.size(), seen.size());
    for (const auto& [label, generation] : searched) ASSERT_EQ(generation, 0) << label;
  }
  const ValidateReport report = *world.index().validate({.deep = true});
  ASSERT_TRUE(report.sound()) << ::testing::PrintToString(report.messages);
}

void sweep(bool stored, bool for_good, bool vectors_in_memory = true) {
  ASSERT_TRUE(allocator_is_ours());
  for (const Verb& verb : verbs()) {
    SCOPED_TRACE(verb.name);
    long k = 0;
    for (bool failed = true; failed && k < 3000; k += k < kEvery ? 1 : kStep) {
      World world(stored, vectors_in_memory);
      bool completed = false;
      failed = fails_at(world, verb, k, for_good, &completed);
      SCOPED_TRACE(k);
      expect_whole(world, verb, completed);
      if (::testing::Test::HasFatalFailure()) return;
      const State before = world.seen();
      ASSERT_OK(verb.call(world));  // again, and now there is memory
      State after = before;
      verb.done(after);
      ASSERT_EQ(world.seen(), after);
      world.reopen();
      ASSERT_EQ(world.seen(), after);
      ASSERT_OK(world.index().checkpoint());
      ASSERT_EQ(world.index().stats().journal_entries, 0u) << "a journal that nobody empties";
      const ValidateReport report = *world.index().validate({.deep = true});
      ASSERT_TRUE(report.sound()) << ::testing::PrintToString(report.messages);
    }
    std::printf("%-24s %ld allocations\n", verb.name, k);
  }
}

// What cannot be written then stands in the journal; a destructor has nobody to tell.
TEST(AllocationSweep, TheLastHandleWithoutMemory) {
  ASSERT_TRUE(allocator_is_ours());
  const auto let_go = [](World& world) {
    world.let_go();
    return Status();
  };
  const Verb last_handle{"last handle", let_go, [](State&) {}};
  for (const bool for_good : {false, true}) {
    bool failed = true;
    for (long k = 0; failed && k < 3000; k += k < 16 ? 1 : kStep) {
      SCOPED_TRACE(k);
      World world(true);
      bool completed = false;
      failed = fails_at(world, last_handle, k, for_good, &completed);
      ASSERT_TRUE(completed);
      ASSERT_OK(world.open_store());
      ASSERT_EQ(world.seen(), world.state());
    }
  }
}

TEST(AllocationSweep, OneFailsInMemory) { sweep(false, false); }
TEST(AllocationSweep, AllFailFromThereOnInMemory) { sweep(false, true); }
TEST(AllocationSweep, OneFailsInAStore) { sweep(true, false); }
TEST(AllocationSweep, AllFailFromThereOnInAStore) { sweep(true, true); }
TEST(AllocationSweep, OneFailsInAStoreOfVectorsInTheFile) { sweep(true, false, false); }

}  // namespace
}  // namespace vicinal::testing
