#include "tests/crash/plan.h"

#include <random>

namespace vicinal::testing {

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
  plan.index.dimension = one_in(12) ? 4096 : 8 + random() % 32;
  plan.index.M = 4 + random() % 8;
  plan.index.ef_construction = 40;
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
  std::uniform_real_distribution<float> component(-1, 1);
  std::vector<float> row(dimension);
  for (float& x : row) x = component(random);
  return row;
}

}  // namespace vicinal::testing
