// LmdbMap: how large an environment's map is, and where it begins.
//
// What: it grows by itself, and under max_map_bytes it keeps room for what gives room back (N3 of
// lmdb_env.h).
// Ownership: a part of Environment; LMDB's environment is Environment's.
// Threads: lost(), bytes(), step_bytes() and room_left() any, which therefore ask LMDB nothing: it
// answers from the map, which may be moving; begin() within a transaction; the others by who holds the
// writer's lock. It moves only while no transaction lives: with the gate closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "persist/lmdb_gate.h"
#include "vicinal/status.h"

struct MDB_env;
struct MDB_txn;

namespace vicinal::persist {

/// What a write does to the space in use. Under max_map_bytes some room is kept from those that
/// add, so that the others can always be done.
enum class WriteKind : std::uint8_t {
  kAdds,         ///< new rows, new indexes
  kKeepsOrFrees  ///< erasures, checkpoints, what gives room back
};

/// Inside the file, as LMDB's own list has them: free, or to be once no reader needs them.
std::uint64_t free_pages(MDB_txn* txn);

class LmdbMap {
 public:
  /// `most`: max_map_bytes; 0: no limit.
  explicit LmdbMap(std::uint64_t most) : most_(most) {}
  void attach(MDB_env* env, std::uint32_t page_size);

  /// Moving it failed half-way: nothing may touch it any more.
  bool lost() const { return lost_; }
  /// Null while that is not known (learn()). From within a transaction.
  const std::byte* begin() const { return begin_; }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  /// How large it may be for such a write; 0: no limit.
  std::uint64_t limit(WriteKind kind) const;
  /// What work that is done in steps writes in one. Writers wait while a step commits, and pages
  /// that it frees serve the step after the next: steps are short, or the file grows by two of them
  /// and more. But each syncs, which takes as long as writing some 300 KB. So a megabyte, or less
  /// where the reserve is small.
  std::uint64_t step_bytes() const;
  /// Beyond the end of a file of `file_bytes`, up to max_map_bytes; what is free inside comes on top.
  std::uint64_t room_left(std::uint64_t file_bytes) const;

  /// Before a write that adds. `path` is for the message.
  /// Errors: kFull.
  Status keep_reserve(const std::string& path, ReaderGate& gate);
  /// After a write of that kind has found it too small.
  /// Errors: kFull.
  Status grow(WriteKind kind, const std::string& path, ReaderGate& gate);
  /// The size that another process gave the file; the gate is closed.
  Status adopt();
  /// Finds out where it begins, which LMDB does not tell.
  void learn();

 private:
  Status set(std::uint64_t wanted);
  /// 0: what the file says.
  Status move(std::uint64_t bytes, const char* what);
  void note_bytes();
  /// Of pages inside the file.
  std::uint64_t free_bytes() const;

  const std::uint64_t most_;
  MDB_env* env_ = nullptr;
  std::uint32_t page_size_ = 0;
  const std::byte* begin_ = nullptr;  // changes while no transaction lives
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<bool> lost_{false};
};

}  // namespace vicinal::persist
