#include "tests/crash/plan.h"

#include <random>

namespace vicinal::testing {
namespace {

// Vectors of as many directions, whatever their dimension, as what people store: in vectors of
// independent components there is nothing near, and every index finds less after rewriting.
constexpr std::uint32_t kLatent = 8;
constexpr std::uint32_t kMostDimensions = 4096;

const std::vector<float>& directions() {
  static const std::vector<float> components = [] {
    std::mt19937_64 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> drawn(std::size_t{kLatent} * kMostDimensions);
    for (float& x : drawn) x = normal(random);
    return drawn;
  }();
  return components;
}

}  // namespace

Plan draw_plan(std::uint64_t seed, const std::string& folder) {
  std::mt19937_64 random(seed);
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  Plan plan;
  plan.folder = folder;
  plan.seed = seed;
  constexpr Durability kDurabilities[] = {Durability::kFull, Durability::kRelaxed,
                                          Durability::kNone};
  plan.store.durability = kDurabilities[random() % 3];
  plan.store.background = !one_in(3);
  plan.store.checkpoint_bytes = std::uint64_t{8 << 10} << (random() % 6);
  if (!one_in(4)) plan.store.map_bytes = 128 << 10;  // so that it has to grow
  if (one_in(5)) plan.store.max_map_bytes = 256ull << 20;
  plan.index.dimension = one_in(12) ? kMostDimensions : kLatent + random() % 32;
  plan.index.M = 8 + random() % 9;
  plan.index.ef_construction = 60;
  plan.index.threads = 2;
  plan.index.seed = seed;
  if (one_in(2)) plan.index.reserve = 500;  // a graph from the first vector on
  if (one_in(3)) plan.index.vectors_in_memory = false;
  if (one_in(4)) plan.index.quantization = Quantization::kNone;
  if (!plan.index.vectors_in_memory) plan.index.quantization = Quantization::kInt8;
  return plan;
}

std::vector<float> row_of(Label label, LabelState generation, std::uint32_t dimension) {
  std::mt19937_64 random(label * 1'000'003 + generation * 7'919 + 17);
  std::normal_distribution<float> normal;
  std::vector<float> row(dimension);
  for (std::uint32_t i = 0; i < kLatent; ++i) {
    const float length = normal(random);
    const float* const direction = directions().data() + std::size_t{i} * kMostDimensions;
    for (std::uint32_t d = 0; d < dimension; ++d) row[d] += length * direction[d];
  }
  return row;
}

}  // namespace vicinal::testing
