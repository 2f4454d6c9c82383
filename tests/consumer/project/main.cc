// A user's program: an index in memory, filled, asked and checked.
#include <vicinal.h>
#include <vicinal/cpu.h>
#include <vicinal/index.h>
#include <vicinal/label_set.h>
#include <vicinal/store.h>

#include <cstdio>
#include <vector>
#ifdef WITH_MIMALLOC
#include <vicinal/mimalloc.h>
#endif

int main() {
#ifdef WITH_MIMALLOC
  if (!vicinal::use_mimalloc()) {
    std::fprintf(stderr, "mimalloc was refused\n");
    return 1;
  }
#endif
  auto index = vicinal::Index::in_memory({.dimension = 3});
  if (!index) {
    std::fprintf(stderr, "%s\n", index.status().to_string().c_str());
    return 1;
  }
  const std::vector<std::vector<float>> vectors = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (auto done = index->upsert(i, vectors[i]); !done) {
      std::fprintf(stderr, "%s\n", done.status().to_string().c_str());
      return 1;
    }
  }
  const std::vector<float> query = {0.1F, 0.9F, 0.2F};
  const auto found = index->search(query, {.k = 2});
  if (!found || found->size() != 2 || (*found)[0].label != 1) {
    std::fprintf(stderr, "the nearest of three was not found\n");
    return 1;
  }
  std::printf("nearest: %llu at %.4f\n", static_cast<unsigned long long>((*found)[0].label),
              static_cast<double>((*found)[0].distance));
  const std::vector<vicinal::Label> labels = {3, 1, 2};
  const vicinal::LabelSet others = ~vicinal::LabelSet(labels);
  if (others.contains(1) || !others.contains(4)) {
    std::fprintf(stderr, "a set of labels was not told from its complement\n");
    return 1;
  }
  if (vicinal::version() != vicinal_version()) {
    std::fprintf(stderr, "the C functions are not in the static library\n");
    return 1;
  }
  // A store would need a folder; that a wrong path is answered links the whole library.
  const auto missing = vicinal::Store::open("no/such/store", {.create = false});
  return missing.status().code() == vicinal::StatusCode::kNotFound ? 0 : 1;
}
