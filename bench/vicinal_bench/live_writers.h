// Single writes beside the searches, timed and logged.
//
// What: a Writer owns some of an index's live labels, so that no two threads write one label, and
// takes vectors from the index's pool.
// Ownership: refers to the world and an index.
// Threads: one per Writer; the pool and the count are shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/live_history.h"
#include "bench/vicinal_bench/live_world.h"

namespace vicinal::bench {

class Writer {
 public:
  /// Part number `part` of `parts` of what is live in `made`.
  Writer(LiveWorld& world, LiveIndex& made, std::size_t part, std::size_t parts,
         std::uint64_t seed);

  /// Whether there are vectors that are nobody's.
  bool can_insert() { return made_.pool.size() > 0; }
  /// A new label, with a vector that is nobody's. When there is none, its oldest label is erased
  /// first; that is logged, not timed.
  Status insert();
  /// Such a vector for a random label.
  Status update();
  /// A random label; none when one only is left.
  Status erase();

  /// From now on what it erases is for its own inserts only.
  void keep_rows() { keeps_rows_ = true; }
  const std::vector<Write>& log() const { return log_; }

 private:
  std::size_t pick();
  Result<std::uint32_t> take_row();
  void free_row(std::uint32_t row);
  Status erase_at(std::size_t at, bool timed);
  Status upsert(Write write);

  LiveWorld& world_;
  LiveIndex& made_;
  std::deque<Entry> owned_;  ///< oldest first, but for what erase() moved
  /// Rows that are nobody's and not in the pool: one at least once there was one, so that other
  /// writers who empty the pool cannot take what this one needs to go on.
  std::deque<std::uint32_t> spare_;
  bool keeps_rows_ = false;
  std::mt19937_64 random_;
  std::vector<Write> log_;
};

enum class WriteKind { kNone, kInsert, kUpdate, kErase };

/// What each writing thread of a phase does.
struct WriterPlan {
  /// kNone: inserts while there are vectors for them, and then nothing.
  WriteKind kind = WriteKind::kNone;
  /// A slow writer beside maintenance: a write, then one to the bystander, then a pause.
  bool trickle = false;
  /// Seconds from one write to the next, by an even clock: who is late hurries. 0: no pause.
  double between = 0;
};

/// One thread's work until `stop`. `writer` writes to the measured index; `bystander` (may be null)
/// to its own. Sets `stop` when a write fails.
Status write_until(const WriterPlan& plan, Writer& writer, Writer* bystander,
                   std::atomic<bool>& stop);

}  // namespace vicinal::bench
