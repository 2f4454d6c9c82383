// What a small index takes of the heap: all that it allocates, by whatever way.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "tests/engine/engine_testing.h"
#include "vicinal/memory.h"

namespace {

// Of all that is allocated, as the allocator rounds it.
std::atomic<std::int64_t> held{0};

void* counted(void* memory) {
  if (memory != nullptr) held += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}
void* allocate(std::size_t size, std::size_t alignment) {
  const std::size_t some = size == 0 ? 1 : size;
  if (alignment <= alignof(std::max_align_t)) return counted(std::malloc(some));
  return counted(std::aligned_alloc(alignment, (some + alignment - 1) / alignment * alignment));
}
void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}
void release(void* memory) noexcept {
  if (memory != nullptr) held -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

// What comes through the engine's hook: by size, since it is the same in every build. Without this a
// release build's goes to mimalloc, past what is counted here.
void* hook_allocate(std::size_t size, std::size_t alignment) {
  const std::size_t line = std::max(alignment, alignof(std::max_align_t));
  void* const memory = std::aligned_alloc(line, (size + line - 1) / line * line);
  if (memory != nullptr) held += static_cast<std::int64_t>(size);
  return memory;
}
void hook_deallocate(void* memory, std::size_t size, std::size_t /*alignment*/) {
  if (memory != nullptr) held -= static_cast<std::int64_t>(size);
  std::free(memory);
}

}  // namespace

// Each belongs to one of release(), which the compiler cannot see where it inlines one of them.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace vicinal::testing {
namespace {

/// Bytes that one of many indexes of `count` vectors takes.
double bytes_of_one(const IndexOptions& options, std::size_t count, bool searched) {
  static const bool set = set_allocator({hook_allocate, hook_deallocate});
  EXPECT_TRUE(set);
  constexpr std::size_t kIndexes = 200;
  std::vector<Index> indexes;
  indexes.reserve(2 * kIndexes);
  const auto add = [&] {
    Index index = *Index::in_memory(options);
    for (Label label = 0; label < count; ++label) {
      const std::vector<float> vector = vector_of(label, 0, options.dimension);
      EXPECT_TRUE(index.upsert(label, vector).ok());
      if (searched) {
        EXPECT_EQ(index.search(vector, {.k = 1})->hits.size(), 1u);
      }
    }
    indexes.push_back(std::move(index));
  };
  for (std::size_t i = 0; i < kIndexes; ++i) add();  // what the first ones bring with them stays
  const std::int64_t before = held.load();
  for (std::size_t i = 0; i < kIndexes; ++i) add();
  return static_cast<double>(held.load() - before) / kIndexes;
}

struct Shape {
  std::uint32_t dimension;
  Metric metric;
  Storage storage;
};

class SmallIndex : public ::testing::TestWithParam<Shape> {
 protected:
  IndexOptions options() const {
    IndexOptions options;
    options.dimension = GetParam().dimension;
    options.metric = GetParam().metric;
    options.storage = GetParam().storage;
    return options;
  }
  /// Of the rows themselves: they begin on lines of the cache.
  double rows(std::size_t count) const {
    const std::size_t row = stored_bytes(GetParam().storage, GetParam().dimension);
    return static_cast<double>(count * ((row + 8 + 63) / 64 * 64));
  }
};

TEST_P(SmallIndex, OfOneVectorTakesLessThanTwoKilobytesBesideIt) {
  for (const bool searched : {false, true}) {
    EXPECT_LT(bytes_of_one(options(), 1, searched) - rows(1), 2000) << "searched: " << searched;
  }
}

TEST_P(SmallIndex, TakesLittleForEachVector) {
  for (const std::size_t count : {3u, 10u, 100u, 400u}) {
    const double beside = bytes_of_one(options(), count, false) - rows(count);
    EXPECT_LT(beside, 2000 + 1024 + 176.0 * static_cast<double>(count)) << count << " vectors";
  }
}

TEST_P(SmallIndex, EmptyTakesLessThanTwoKilobytes) {
  EXPECT_LT(bytes_of_one(options(), 0, false), 2000);
}

INSTANTIATE_TEST_SUITE_P(Shapes, SmallIndex,
                         ::testing::Values(Shape{8, Metric::kCosine, Storage::kFloat32},
                                           Shape{64, Metric::kSquaredL2, Storage::kFloat32},
                                           Shape{64, Metric::kCosine, Storage::kInt8},
                                           Shape{1536, Metric::kInnerProduct, Storage::kFloat16}));

}  // namespace
}  // namespace vicinal::testing
