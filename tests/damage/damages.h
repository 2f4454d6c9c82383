// Damages: what may become of a file, each by its number.
//
// Ownership: none.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "tests/damage/sample.h"

namespace vicinal::testing {

/// A file as it is after one damage.
struct Damaged {
  std::string what;        ///< for people: the damage and where
  std::string kind;        ///< what it counts as: "flips", "stale pages"
  bool of_stream = false;  ///< the stream is damaged, else the data file
  /// A meta page of an earlier commit was put back: nothing in the file tells that from a store that
  /// was never written to since, so what it was then is a right answer.
  bool rolled_back = false;
  std::string bytes;
  bool changed = true;  ///< the bytes are other ones than before
};

/// Bits of the data file and, behind them, of the stream.
std::uint64_t bits_of(const Sample& sample);
/// One bit flipped.
Damaged flip_bit(const Sample& sample, std::uint64_t bit);
/// A page of the data file as it was after an earlier write, the n-th of all such.
Damaged put_back(const Sample& sample, std::uint64_t n);
/// How many there are.
std::uint64_t earlier_pages_of(const Sample& sample);
/// Some damage of the seed's choice.
Damaged damage_by(const Sample& sample, std::uint64_t seed);

}  // namespace vicinal::testing
