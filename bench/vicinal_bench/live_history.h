// Who was live when: the writes of a phase, and what a search could know of them.
//
// What: writers log every call with the times before and after it. Between the two a label may or
// may not show; before and after it is known. A base row is the vector of at most one label at any
// moment (live_world.h, RowPool).
// Ownership: values.
// Threads: a log is one writer's; a History is made after all have ended, and then anyone's.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "vicinal/types.h"

namespace vicinal::bench {

/// A label and the base row that is its vector.
struct Entry {
  Label label = 0;
  std::uint32_t row = 0;
};

inline constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

/// One acknowledged write.
struct Write {
  Label label = 0;
  std::uint32_t row_out = kNoRow;  ///< whose vector the label loses; kNoRow: it was not live
  std::uint32_t row_in = kNoRow;   ///< whose vector it gets; kNoRow: it is erased
  std::int64_t begin = 0;          ///< now_ns() before the call
  std::int64_t end = 0;            ///< and after it
  bool timed = false;              ///< its latency counts
};

/// What is known of a label, or a row, for the whole of an interval.
enum class Presence {
  kAbsent,    ///< not live at any moment of it
  kLive,      ///< live with one vector all through
  kChanging,  ///< a write overlaps it: both answers are right
};

class History {
 public:
  /// `first` is live before all of `writes`, which may come in any order.
  History(std::span<const Entry> first, std::vector<Write> writes);

  /// Rows that were live at any time, ascending.
  const std::vector<std::uint32_t>& rows() const { return rows_; }

  struct Holder {
    Presence presence = Presence::kAbsent;
    Label label = 0;  ///< unless absent
  };
  /// Who has the vector `row` in [begin, end].
  Holder holder(std::uint32_t row, std::int64_t begin, std::int64_t end) const;
  Presence label(Label label, std::int64_t begin, std::int64_t end) const;

 private:
  /// A label has a row's vector: comes during one write, goes during another.
  struct Tenure {
    Entry entry;
    std::int64_t come_begin = std::numeric_limits<std::int64_t>::min();
    std::int64_t come_end = std::numeric_limits<std::int64_t>::min();
    std::int64_t go_begin = std::numeric_limits<std::int64_t>::max();
    std::int64_t go_end = std::numeric_limits<std::int64_t>::max();

    Presence in(std::int64_t begin, std::int64_t end) const;
  };

  std::vector<Tenure> tenures_;
  std::vector<std::uint32_t> rows_;
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> by_row_;
  std::unordered_map<Label, std::vector<std::size_t>> by_label_;
};

}  // namespace vicinal::bench
