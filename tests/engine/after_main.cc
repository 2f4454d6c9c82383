// Indexes and stores that are static objects: used by another static object as it ends, behind main(), and
// while the store's own thread still repairs. What the library keeps for the process is there until its end.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace {

using vicinal::Index;
using vicinal::Label;
using vicinal::Store;

constexpr std::size_t kDimension = 32;
constexpr std::size_t kRows = 4000;

std::optional<vicinal::testing::TemporaryFolder> folder;
std::vector<float> rows;
std::optional<Store> store;
std::optional<Index> stored;
std::optional<Index> in_memory;

void must(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "not so behind main(): {}\n", what);
  std::_Exit(1);
}

/// Made last, so it ends first: behind what main() made at its first calls, before the handles.
struct Late {
  std::vector<std::string> kept;

  ~Late() {
    if (!in_memory) return;  // main() said why
    // Memory that has been freed is used again.
    for (std::size_t i = 0; i < 40; ++i) kept.emplace_back(1200 + 24 * i, 'A');
    for (const std::size_t k : {std::size_t{10}, std::size_t{300}}) {
      for (const Index* index : {&*in_memory, &*stored}) {
        const auto found = index->search({rows.data(), kDimension}, {.k = k});
        must(found.ok() && found->size() == k, "a search finds k");
        must(found->hits[0].label == 0, "the nearest is the query itself");
      }
    }
    must(stored->upsert(kRows, {rows.data(), kDimension}).ok(), "upsert() is durable");
    const vicinal::IndexOptions options{.dimension = kDimension};
    must(Index::in_memory(options).ok(), "an index can be made");
    ::usleep(100'000);  // of the store's thread at work
    must(store->close().ok(), "close()");
    folder.reset();
  }
} late;

}  // namespace

int main() {
  folder.emplace();
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  rows.resize(kDimension * kRows);
  for (float& x : rows) x = normal(random);
  std::vector<Label> labels(kRows);
  std::vector<Label> odd;
  for (std::size_t i = 0; i < kRows; ++i) {
    labels[i] = i;
    if (i % 2 == 1) odd.push_back(i);
  }
  const vicinal::IndexOptions options{.dimension = kDimension};
  in_memory = *Index::in_memory(options);
  store = *Store::open(folder->file("store"));
  stored = *store->index("a", options);
  for (Index* index : {&*in_memory, &*stored}) {
    if (!index->upsert_batch(labels, rows).ok() || !index->erase_batch(odd).ok()) return 1;
    // The buffers of a thread, too, are there before the end.
    if (!index->search({rows.data(), kDimension}, {.k = 300}).ok()) return 1;
  }
  return 0;
}
