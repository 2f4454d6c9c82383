// vicinal_store_free() inside a callback of the store itself.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

struct Freeing {
  std::mutex mutex;
  std::condition_variable changed;
  vicinal_store* store = nullptr;
  vicinal_status close = VICINAL_OK;
  vicinal_status second_open = VICINAL_OK;
  std::string path;
  bool done = false;
};

/// The first time: closing is refused, freeing is not, and the path is not free before the call is
/// over.
void free_store(Freeing& freeing) {
  const std::lock_guard lock(freeing.mutex);
  if (freeing.store == nullptr) return;
  freeing.close = vicinal_store_close(freeing.store);
  vicinal_store_free(std::exchange(freeing.store, nullptr));
  vicinal_store* refused = nullptr;
  freeing.second_open = vicinal_store_open(freeing.path.c_str(), nullptr, &refused);
  freeing.done = true;
  freeing.changed.notify_all();
}

std::uint64_t stored_rows(vicinal_store* store) {
  const Handle<vicinal_index> index = index_in(store, "text");
  std::uint64_t size = 0;
  EXPECT_C_OK(vicinal_index_size(index.get(), &size));
  return size;
}

TEST(CLastHandle, FreedInAVisitor) {
  const TemporaryFolder folder;
  Freeing freeing;
  freeing.path = folder.file("s");
  freeing.store = open_c_store(freeing.path).release();
  const Handle<vicinal_index> index = index_in(freeing.store, "text");
  for (Label label = 0; label < 20; ++label) {
    ASSERT_C_OK(
        vicinal_index_upsert(index.get(), label, vector_of(label).data(), kDimension, nullptr));
  }
  const vicinal_vector_visitor visit = [](void* context, std::uint64_t, const float*, std::size_t) {
    free_store(*static_cast<Freeing*>(context));
    return true;
  };
  ASSERT_C_OK(vicinal_index_for_each(index.get(), visit, &freeing));
  EXPECT_TRUE(freeing.done);
  EXPECT_EQ(freeing.close, VICINAL_BUSY);
  EXPECT_EQ(freeing.second_open, VICINAL_BUSY);
  EXPECT_C(vicinal_index_erase(index.get(), 1, nullptr), VICINAL_CLOSED, "closed");
  // What answers of a closed index.
  std::uint64_t size = 1;
  EXPECT_C_OK(vicinal_index_size(index.get(), &size));
  EXPECT_EQ(size, 0u);
  bool live = true;
  EXPECT_C_OK(vicinal_index_contains(index.get(), 1, &live));
  EXPECT_FALSE(live);
  std::uint32_t dimension = 0;
  EXPECT_C_OK(vicinal_index_dimension(index.get(), &dimension));
  EXPECT_EQ(dimension, kDimension);
  INITIALISED(index_options, options);
  EXPECT_C_OK(vicinal_index_get_options(index.get(), &options));
  INITIALISED(stats, stats);
  EXPECT_C_OK(vicinal_index_stats(index.get(), &stats));
  EXPECT_EQ(stored_rows(open_c_store(freeing.path).get()), 20u);
}

// The store's own thread ends the store soon.
TEST(CLastHandle, FreedInAnEvent) {
  const TemporaryFolder folder;
  Freeing freeing;
  freeing.path = folder.file("s");
  vicinal_store_options options = quick_c_store();
  options.map_bytes = 256 << 10;
  options.event_context = &freeing;
  options.on_event = [](void* context, const vicinal_event* event) {
    if (event->kind == VICINAL_EVENT_FILE_GROWN) free_store(*static_cast<Freeing*>(context));
  };
  Handle<vicinal_index> index;
  {
    const std::lock_guard lock(freeing.mutex);
    freeing.store = open_c_store(freeing.path, options).release();
    index = index_in(freeing.store, "text");
  }
  std::uint64_t live = 0;
  vicinal_status status = VICINAL_OK;
  while (status == VICINAL_OK) {
    const std::vector<Label> labels = labels_up_to(100, live);
    status = vicinal_index_upsert_batch(index.get(), labels.data(), matrix_of(labels).data(), 100,
                                        kDimension, nullptr, nullptr);
    live += status == VICINAL_OK ? 100 : 0;
  }
  EXPECT_C(status, VICINAL_CLOSED, "closed");
  std::unique_lock lock(freeing.mutex);
  ASSERT_TRUE(
      freeing.changed.wait_for(lock, std::chrono::seconds(60), [&] { return freeing.done; }));
  EXPECT_EQ(freeing.close, VICINAL_BUSY);
  EXPECT_EQ(freeing.second_open, VICINAL_BUSY);
  vicinal_store* again = nullptr;
  while ((status = vicinal_store_open(freeing.path.c_str(), nullptr, &again)) == VICINAL_BUSY) {
    std::this_thread::yield();
  }
  ASSERT_C_OK(status);
  EXPECT_EQ(stored_rows(again), live);
  vicinal_store_free(again);
}

}  // namespace
}  // namespace vicinal::testing
