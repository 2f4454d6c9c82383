// Ledger: what a process that may be killed at any moment was told is stored.
//
// What: plain atomics in memory that parent and child share. For every label the state that was
// acknowledged; for every writer the call that it is in, with what its labels had before and would
// have after. Once the child is dead the parent knows what must be there, and of what it may be
// either.
// Ownership: whoever maps it; it outlives the child.
// Threads: each writer has labels of its own, so one thread writes a label's state at a time.
//
// Invariants:
//   Y1  A call is in the ledger, with its count stored last, before the library is called.
//   Y2  `acknowledged` is stored before the labels' states: a call whose states are half stored
//       counts as a whole.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "vicinal/types.h"

namespace vicinal::testing {

inline constexpr std::size_t kWriters = 2;
inline constexpr std::size_t kLabelsPerWriter = 320;
inline constexpr std::size_t kLabels = kWriters * kLabelsPerWriter;
inline constexpr std::size_t kSideLabels = 40;
inline constexpr std::size_t kMostPlaces = 64;

/// What a label has: 0 never stored; odd: the vector of that generation; even: erased.
using LabelState = std::uint64_t;
inline bool is_stored(LabelState state) { return state % 2 == 1; }

/// The call that a writer is in: all of its labels get what it says, or none.
struct CallInFlight {
  std::atomic<std::uint32_t> count{0};  ///< labels; 0: in no call
  std::atomic<bool> acknowledged{false};
  std::array<Label, kLabelsPerWriter> labels;
  std::array<LabelState, kLabelsPerWriter> before;
  std::array<LabelState, kLabelsPerWriter> after;
};

/// Stages of the second index, which is made, filled and dropped again and again.
enum class SideStage : std::uint32_t { kAbsent, kMaking, kEmpty, kFilling, kFilled, kDropping };

/// A place of the library that was reached (persist/failpoints.h).
struct Place {
  std::array<char, 48> name{};
  std::atomic<std::uint64_t> reached{0};
  std::atomic<std::uint64_t> killed{0};
};

/// What an audit adds to the campaign.
struct Audited {
  std::uint64_t labels = 0;          ///< whose state was compared
  std::uint64_t unacknowledged = 0;  ///< calls that a crash cut off
  std::uint64_t kept = 0;            ///< of them those that are there, as a whole
  double recall = 0;                 ///< of the index, where it was asked for
  double fresh_recall = 0;           ///< of one built anew of the same vectors
};

struct Ledger {
  std::array<std::atomic<LabelState>, kLabels> states{};
  std::array<CallInFlight, kWriters> calls{};
  std::atomic<SideStage> side{SideStage::kAbsent};
  std::atomic<std::uint64_t> acknowledged{0};  ///< calls
  std::atomic<bool> backup{false};             ///< one is whole

  std::array<Place, kMostPlaces> places{};
  std::atomic<std::uint32_t> place_count{0};
  std::atomic<std::uint32_t> target{kMostPlaces};  ///< of the kill; kMostPlaces: none
  std::atomic<std::int64_t> countdown{0};

  Audited audited;                   ///< by the last audit
  std::array<char, 2048> message{};  ///< what is wrong, by whoever found it
};

}  // namespace vicinal::testing
