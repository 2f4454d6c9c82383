// What the programs of this room expect: vectors that can be computed, and answers that must be OK.
//
// What: row_of() makes the vector of a label in its generation, so that any answer can be held against
// what was stored without keeping it. must() ends a round by an exception that says what was broken;
// main() makes a finding of it.
// Ownership: none.
// Threads: any.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::testing {

/// A promise that was not kept; what() says which.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void must(bool held, std::string_view what) {
  if (!held) throw Broken(std::string(what));
}
inline void must(const Status& status, std::string_view what) {
  if (!status.ok()) throw Broken(fmt::format("{}: {}", what, status.to_string()));
}
/// The value of a call that must not fail.
template <typename T>
T must(Result<T> result, std::string_view what) {
  must(result.status(), what);
  return std::move(*result);
}

/// The next of a sequence of 64 random bits (SplitMix64): cheap enough for ten million vectors.
inline std::uint64_t next_bits(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  std::uint64_t bits = state;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  return bits ^ (bits >> 31);
}

/// Fills `row` with the vector of `label` in its `generation`, components in [-1, 1).
inline void fill_row(Label label, std::uint64_t generation, std::span<float> row) {
  std::uint64_t state = label * 0xD1342543DE82EF95u + generation * 0x2545F4914F6CDD1Du;
  for (float& component : row) {
    component = static_cast<float>(next_bits(state) >> 40) / (1 << 23) - 1;
  }
}

inline std::vector<float> row_of(Label label, std::uint64_t generation, std::size_t dimension) {
  std::vector<float> row(dimension);
  fill_row(label, generation, row);
  return row;
}

inline bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

}  // namespace vicinal::testing
