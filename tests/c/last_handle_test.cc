// vicinal_store_free() inside a callback of the store itself.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
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

/// What events are told to, and how often it was released.
struct Context {
  std::atomic<int> told{0};
  std::atomic<int> released{0};
  std::atomic<bool> told_after_release{false};

  vicinal_store_options options() {
    vicinal_store_options options = quick_c_store();
    options.map_bytes = 256 << 10;
    options.event_context = this;
    options.on_event = [](void* context, const vicinal_event*) {
      auto& self = *static_cast<Context*>(context);
      ++self.told;
      if (self.released != 0) self.told_after_release = true;
    };
    options.event_release = [](void* context) { ++static_cast<Context*>(context)->released; };
    return options;
  }
};

TEST(CEventContext, IsReleasedOnceWithTheLastHandle) {
  const TemporaryFolder folder;
  Context context;
  Handle<vicinal_store> store = open_c_store(folder.file("s"), context.options());
  Handle<vicinal_index> index = index_in(store.get(), "text");
  ASSERT_C_OK(vicinal_store_close(store.get()));
  store.reset();
  index.reset();
  EXPECT_EQ(context.released, 1);
}

// What is released may let the store itself go, while it closes.
TEST(CEventContext, ReleasingFreesTheStore) {
  const TemporaryFolder folder;
  Context context;
  vicinal_store_options options = context.options();
  struct Own {
    vicinal_store* store = nullptr;
    int released = 0;
  } own;
  options.event_context = &own;
  options.on_event = [](void*, const vicinal_event*) {};
  options.event_release = [](void* given) {
    auto& self = *static_cast<Own*>(given);
    ++self.released;
    vicinal_store_free(std::exchange(self.store, nullptr));
  };
  own.store = open_c_store(folder.file("s"), options).release();
  EXPECT_C_OK(vicinal_store_close(own.store));
  EXPECT_EQ(own.released, 1);
  EXPECT_EQ(own.store, nullptr);
}

TEST(CEventContext, IsTheParentsAloneAfterAFork) {
  for (const bool closed_before : {false, true}) {
    const TemporaryFolder folder;
    Context context;
    Handle<vicinal_store> store = open_c_store(folder.file("s"), context.options());
    Handle<vicinal_index> index = index_in(store.get(), "text");
    if (closed_before) {
      ASSERT_C_OK(vicinal_store_close(store.get()));
      store.reset();
    }
    const pid_t child = ::fork();
    if (child == 0) {
      index.reset();
      store.reset();
      ::_exit(context.released.load());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << closed_before;
    index.reset();
    store.reset();
    EXPECT_EQ(context.released, 1) << closed_before;
  }
}

TEST(CEventContext, IsReleasedWhereNothingIsOpened) {
  const TemporaryFolder folder;
  const Handle<vicinal_store> store = open_c_store(folder.file("s"));
  Context context;
  vicinal_store* second = nullptr;
  vicinal_store_options options = context.options();
  EXPECT_EQ(vicinal_store_open(folder.file("s").c_str(), &options, &second), VICINAL_BUSY);
  EXPECT_EQ(context.released, 1);
  options.durability = 7;
  EXPECT_EQ(vicinal_store_open(folder.file("t").c_str(), &options, &second),
            VICINAL_INVALID_ARGUMENT);
  EXPECT_EQ(context.released, 2);
  options = context.options();
  options.on_event = nullptr;  // nothing is told
  const Handle<vicinal_store> third = open_c_store(folder.file("t"), options);
  EXPECT_EQ(context.released, 3);
}

// Closing comes after the search, and until then the store tells events.
TEST(CEventContext, IsNotReleasedBeforeAStoreThatWasFreedInAFilterIsClosed) {
  const TemporaryFolder folder;
  struct Freed {
    Context context;
    vicinal_store* store = nullptr;
    vicinal_index* index = nullptr;
    int released_inside = 0;
  } freed;
  freed.store = open_c_store(folder.file("s"), freed.context.options()).release();
  freed.index = index_in(freed.store, "text").release();
  const Handle<vicinal_index> other = c_index();
  fill(other.get(), 20);
  INITIALISED(search_options, options);
  options.predicate_context = &freed;
  options.predicate = [](void* context, std::uint64_t) {
    auto& self = *static_cast<Freed*>(context);
    if (self.store == nullptr) return true;
    const std::vector<Label> labels = labels_up_to(2000);
    EXPECT_C_OK(vicinal_index_upsert_batch(self.index, labels.data(), matrix_of(labels).data(),
                                           labels.size(), kDimension, nullptr, nullptr));
    vicinal_index_free(std::exchange(self.index, nullptr));
    vicinal_store_free(std::exchange(self.store, nullptr));
    // The map has grown, which the store's thread tells when it comes to it.
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    self.released_inside = self.context.released;
    return true;
  };
  std::array<std::uint64_t, 3> hits{};
  std::size_t found = 0;
  ASSERT_C_OK(vicinal_index_search(other.get(), vector_of(1).data(), kDimension, hits.size(),
                                   &options, hits.data(), nullptr, &found, nullptr));
  EXPECT_EQ(freed.released_inside, 0);
  EXPECT_EQ(freed.context.released, 1);
  EXPECT_FALSE(freed.context.told_after_release);
  EXPECT_EQ(stored_rows(open_c_store(folder.file("s")).get()), 2000u);
}

}  // namespace
}  // namespace vicinal::testing
