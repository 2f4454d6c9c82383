// Threads on one handle, and their messages.
#include <atomic>
#include <thread>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

constexpr int kThreads = 8;

template <typename Work>
void on_every_thread(const Work& work) {
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] { work(thread); });
  for (std::thread& thread : threads) thread.join();
}

// Each thread writes labels of its own beside everybody's searches of one index; what it has
// acknowledged it finds.
TEST(CThreads, EightShareAnIndex) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 200);
  std::atomic<int> wrong{0};
  on_every_thread([&](int thread) {
    for (Label i = 0; i < 60; ++i) {
      const Label label = 1000 + i * kThreads + thread;
      const std::vector<float> vector = vector_of(label);
      Label nearest[3] = {};
      std::size_t found = 0;
      bool live = false;
      wrong += vicinal_index_upsert(index.get(), label, vector.data(), kDimension, nullptr);
      wrong += vicinal_index_search(index.get(), vector.data(), kDimension, 3, nullptr, nearest,
                                    nullptr, &found, nullptr);
      wrong += found != 3 || nearest[0] != label;
      if (i % 3 == 0) {
        wrong += vicinal_index_erase(index.get(), label, nullptr);
        wrong += vicinal_index_contains(index.get(), label, &live);
        wrong += live;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(size_of(index.get()), 200u + kThreads * 40);
}

TEST(CThreads, EveryThreadHasItsOwnMessage) {
  const Handle<vicinal_index> index = c_index();
  std::atomic<int> wrong{0};
  on_every_thread([&](int thread) {
    wrong += std::string(vicinal_last_message()) != "";
    float room[kDimension];
    for (int i = 0; i < 200; ++i) {
      const Label label = i * kThreads + thread;
      wrong += vicinal_index_get(index.get(), label, room, kDimension) != VICINAL_NOT_FOUND;
      const std::string words = "no label " + std::to_string(label) + " ";
      wrong += std::string(vicinal_last_message()).find(words) == std::string::npos;
    }
  });
  EXPECT_EQ(wrong, 0);
}

// A set and a predicate are asked by several threads at once.
TEST(CThreads, ABatchAsksAFilterFromSeveral) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 500);
  constexpr std::size_t kRows = 200;
  const std::vector<float> queries = matrix_of(labels_up_to(kRows));
  vicinal_search_options options;
  ASSERT_C_OK(vicinal_search_options_init(&options, sizeof options));
  std::atomic<std::uint64_t> asked{0};
  options.predicate_context = &asked;
  options.predicate = [](void* context, std::uint64_t label) {
    ++*static_cast<std::atomic<std::uint64_t>*>(context);
    return label % 2 == 1;
  };
  std::vector<Label> labels(kRows * 5);
  ASSERT_C_OK(vicinal_index_search_batch(index.get(), queries.data(), kRows, kDimension, 5,
                                         &options, 4, labels.data(), nullptr, nullptr, nullptr));
  for (const Label label : labels) ASSERT_EQ(label % 2, 1u);
  EXPECT_GT(asked, kRows);
}

}  // namespace
}  // namespace vicinal::testing
