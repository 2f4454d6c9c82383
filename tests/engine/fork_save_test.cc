// Children of fork() that save an index while the parent's threads write: what they write is one moment,
// and they neither hang nor allocate.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

#include "tests/engine/stream_support.h"
#include "vicinal/memory.h"

namespace {

/// Of a child, where nobody else runs.
bool counting = false;
int allocations = 0;

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// operator new comes here, too. Under a sanitizer malloc is the sanitizer's.
extern "C" void* malloc(std::size_t size) {
  using Malloc = void* (*)(std::size_t);
  static const Malloc next = reinterpret_cast<Malloc>(dlsym(RTLD_NEXT, "malloc"));
  if (counting) ++allocations;
  return next(size);
}
#endif

namespace vicinal::testing {
namespace {

void* counted_allocate(std::size_t size, std::size_t alignment) {
  if (counting) ++allocations;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void counted_deallocate(void* memory, std::size_t /*size*/, std::size_t /*alignment*/) {
  std::free(memory);
}
/// Before the library has allocated anything and after whoever plugs in another.
bool allocator_is_ours() {
  static const bool set = set_allocator({counted_allocate, counted_deallocate});
  return set;
}

constexpr std::size_t kMostBytes = 8 << 20;

/// Memory that a child shares with its parent.
class SharedBytes {
 public:
  SharedBytes()
      : memory_(
            mmap(nullptr, kMostBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {}
  ~SharedBytes() { munmap(memory_, kMostBytes); }
  SharedBytes(const SharedBytes&) = delete;
  SharedBytes& operator=(const SharedBytes&) = delete;

  std::uint64_t& size() { return *static_cast<std::uint64_t*>(memory_); }
  std::byte* bytes() { return static_cast<std::byte*>(memory_) + sizeof(std::uint64_t); }

 private:
  void* memory_;
};

/// What a child of this moment saves; the pause ends as soon as it is there.
StreamBytes saved_by_a_child(std::optional<PausedWrites> pause, SharedBytes& shared) {
  shared.size() = 0;
  const ByteSink sink = [&shared](std::span<const std::byte> piece) {
    if (shared.size() + piece.size() > kMostBytes - sizeof(std::uint64_t)) _exit(4);
    std::memcpy(shared.bytes() + shared.size(), piece.data(), piece.size());
    shared.size() += piece.size();
    return Status();
  };
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // who waits for a mutex that nobody here gives back
    counting = true;
    const bool ok = pause->save(sink).ok();
    counting = false;
    _exit(!ok ? 2 : allocations > 0 ? 3 : 0);
  }
  pause.reset();
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0) << "2: save() failed, 3: it allocated, 4: too many bytes";
  return {shared.bytes(), shared.bytes() + shared.size()};
}

/// Label r % kForkedLabels gets generation r / kForkedLabels + 1, for r = 0, 1, ..., so that a part
/// of these operations is known by its number.
constexpr Label kForkedLabels = 60;
constexpr std::uint64_t kBatchLabels = 1000;  ///< and above

/// The generation is the second component.
std::vector<float> counted_row(Label label, std::uint64_t generation) {
  std::vector<float> row(kDimension, 0.0F);
  row[0] = 1;
  row[1] = static_cast<float>(generation);
  for (std::size_t i = 2; i < row.size(); ++i) {
    row[i] = static_cast<float>((label * 31 + generation * 17 + 5) * (i * i + 3) % 97);
  }
  return row;
}

/// How many of the operations an index has; none when it is not a first part of them.
std::optional<std::uint64_t> operations_in(const Index& index) {
  std::uint64_t operations = 0;
  std::vector<std::uint64_t> generations;
  for (Label label = 0; label < kForkedLabels; ++label) {
    const std::vector<float> row = *index.get(label);
    generations.push_back(static_cast<std::uint64_t>(row[1]));
    operations += generations.back();
    if (row != counted_row(label, generations.back())) return {};
  }
  for (Label label = 0; label < kForkedLabels; ++label) {
    if (generations[label] != (operations + kForkedLabels - 1 - label) / kForkedLabels) return {};
  }
  return operations;
}

// A process with the sanitizers' shadow memory forks slower by ten.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kChildren = 300;
#else
constexpr int kChildren = 60;
#endif

TEST(ForkedSave, ManyChildrenBesideWriters) {
  ASSERT_TRUE(allocator_is_ours());
  Index index = *Index::in_memory(small_options());
  for (Label label = 0; label < kForkedLabels; ++label) {
    ASSERT_TRUE(index.upsert(label, counted_row(label, 0)).ok());
  }
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> acknowledged{0};
  std::vector<std::jthread> writers;
  writers.emplace_back([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) {
      ASSERT_TRUE(
          index.upsert(i % kForkedLabels, counted_row(i % kForkedLabels, i / kForkedLabels + 1))
              .ok());
      acknowledged.store(i + 1);
      std::this_thread::sleep_for(std::chrono::microseconds(100));  // the forks are what takes long
    }
  });
  writers.emplace_back([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) {
      const std::vector<Label> labels = labels_up_to(40, kBatchLabels + 40 * (i % 2));
      ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels, i), {.threads = 2}).ok());
      ASSERT_TRUE(index.erase_batch(labels).ok());
      if (i % 50 == 49) {
        ASSERT_OK(index.rebuild());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  SharedBytes shared;
  for (int i = 0; i < kChildren; ++i) {
    const std::uint64_t before = acknowledged.load();
    std::optional<PausedWrites> pause(*index.pause_writes());
    const std::uint64_t after = acknowledged.load() + 1;  // shown, perhaps, and not told yet
    const Index copy = loaded(saved_by_a_child(std::move(pause), shared));
    const std::optional<std::uint64_t> operations = operations_in(copy);
    ASSERT_TRUE(operations.has_value());
    EXPECT_GE(*operations, before);
    EXPECT_LE(*operations, after);
    if (::testing::Test::HasFailure()) break;
  }
  stop.store(true);
}

TEST(ForkedSave, OfAFlatIndex) {
  ASSERT_TRUE(allocator_is_ours());
  Index index = *Index::in_memory(flat_options());
  std::atomic<bool> stop{false};
  std::jthread writer([&] {
    for (std::uint64_t i = 0; !stop.load(); ++i) {
      ASSERT_TRUE(index.upsert(i % 100, vector_of(i % 100, i)).ok());
    }
  });
  SharedBytes shared;
  for (int i = 0; i < 100; ++i) {
    std::optional<PausedWrites> pause(*index.pause_writes());
    const std::uint64_t size = index.size();
    const Index copy = loaded(saved_by_a_child(std::move(pause), shared));
    EXPECT_EQ(copy.size(), size);
    EXPECT_TRUE(copy.stats().flat);
  }
  stop.store(true);
}

// A child may keep the index: it is its own then, once the pause is gone.
TEST(ForkedSave, TheChildMayWrite) {
  ASSERT_TRUE(allocator_is_ours());
  Index index = filled(100);
  std::optional<PausedWrites> pause(*index.pause_writes());
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    pause.reset();
    const bool ok = index.upsert(200, vector_of(200)).ok() && index.contains(200);
    _exit(ok ? 0 : 2);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  pause.reset();
  EXPECT_FALSE(index.contains(200));
  EXPECT_TRUE(index.upsert(201, vector_of(201)).ok());
}

}  // namespace
}  // namespace vicinal::testing
