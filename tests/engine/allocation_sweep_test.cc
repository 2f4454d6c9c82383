// Memory that runs out anywhere: the k-th allocation fails once, or all from the k-th on, for every
// k of every verb, through the allocator hook, operator new and malloc (LMDB's and other
// libraries'). Afterwards the index is as if the call had not been made, or as if it had: sound,
// with every acknowledged state after reopening, and the same call succeeds (E10).
#include <dlfcn.h>
#include <sys/prctl.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include "tests/engine/allocation_verbs.h"
#include "vicinal/memory.h"

namespace {

using vicinal::testing::armed;
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
constexpr long kEvery = 60;  // each of so many allocations, then one of kStep
constexpr long kStep = 7;
#else
constexpr bool kNewCountsByItself = true;
constexpr long kEvery = 20;
constexpr long kStep = 19;
#endif
constexpr long kMost = 500;  // all but expected_recall() need fewer

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

/// Each allocation in turn, however long it takes: with VICINAL_WHOLE_SWEEP=1.
const char* const asked = std::getenv("VICINAL_WHOLE_SWEEP");
const bool kWhole = asked != nullptr && *asked != '\0';

/// Thousands of tiny indexes are made: clearing huge pages for them would take longer than all
/// else.
const bool kSmallPages = prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;

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
  for (const Verb& verb : verbs(stored, vectors_in_memory)) {
    SCOPED_TRACE(verb.name);
    long k = 0;
    for (bool failed = true; failed && k < kMost; k += k < kEvery || kWhole ? 1 : kStep) {
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
  const Verb last_handle{"last handle", let_go};
  for (const bool for_good : {false, true}) {
    bool failed = true;
    for (long k = 0; failed && k < kMost; k += k < 16 ? 1 : kStep) {
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
