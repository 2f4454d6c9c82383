// Scripted writes: what a writer does is known from a number, so that another process can tell from an
// index which of them it has seen.
//
// What: write n of a script is a single upsert, a batch, an erasure or a checkpoint; apply() does it to
// an index, imagine() to a map of generations.
// Ownership: plain values.
// Threads: as any value.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tests/damage/expected.h"
#include "vicinal/index.h"

namespace vicinal::testing {

class Script {
 public:
  static constexpr std::uint32_t kDimension = 8;
  static constexpr Label kLabels = 60;
  /// Labels that are live, with the number of the write that stored them.
  using Generations = std::map<Label, std::uint64_t>;

  explicit Script(std::uint64_t seed) : seed_(seed) {}

  static IndexOptions options() {
    IndexOptions options;
    options.dimension = kDimension;
    options.M = 4;
    options.ef_construction = 40;
    options.threads = 1;
    options.reserve = 500;
    return options;
  }

  Status apply(std::uint64_t n, Index& index) const {
    const Write write = write_of(n);
    if (write.labels.empty()) return index.checkpoint();
    if (write.erases) return index.erase_batch(write.labels).status();
    std::vector<float> rows(write.labels.size() * kDimension);
    for (std::size_t i = 0; i < write.labels.size(); ++i) {
      fill_row(write.labels[i], n, std::span(rows).subspan(i * kDimension, kDimension));
    }
    if (write.labels.size() == 1) return index.upsert(write.labels[0], rows).status();
    return index.upsert_batch(write.labels, rows).status();
  }

  void imagine(std::uint64_t n, Generations& generations) const {
    const Write write = write_of(n);
    for (const Label label : write.labels) {
      if (write.erases) {
        generations.erase(label);
      } else {
        generations[label] = n;
      }
    }
  }

  /// Whether the vectors under all labels are those; none is empty.
  static bool same(const Generations& generations, const std::vector<std::vector<float>>& rows) {
    for (Label label = 0; label < kLabels; ++label) {
      const auto known = generations.find(label);
      if (known == generations.end()
              ? !rows[label].empty()
              : !same_bits(rows[label], row_of(label, known->second, kDimension))) {
        return false;
      }
    }
    return true;
  }

 private:
  struct Write {
    std::vector<Label> labels;  ///< none: a checkpoint
    bool erases = false;
  };

  Write write_of(std::uint64_t n) const {
    std::uint64_t state = seed_ * 1'000'003 + n;
    Write write;
    const std::uint64_t kind = next_bits(state) % 32;
    if (kind == 0) return write;
    write.erases = kind < 8;
    const Label first = next_bits(state) % kLabels;
    const std::size_t count = kind % 4 == 3 ? 2 + next_bits(state) % 12 : 1;
    for (std::size_t i = 0; i < count; ++i) write.labels.push_back((first + i) % kLabels);
    return write;
  }

  std::uint64_t seed_;
};

}  // namespace vicinal::testing
