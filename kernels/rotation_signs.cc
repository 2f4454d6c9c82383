#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kernels.h"

namespace vicinal::kernels {

std::vector<float> make_rotation_signs(std::size_t n, std::uint64_t seed) {
  std::vector<float> signs(4 * n);
  std::uint64_t state = seed;
  for (float& sign : signs) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    sign = (z >> 63) != 0 ? -1.0f : 1.0f;
  }
  return signs;
}

}  // namespace vicinal::kernels
