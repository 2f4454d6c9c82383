// VectorSet: what a key holds: an index in memory and the names of what is in it.
//
// What: keeps index and names in step, and an account of its memory for all sets of the process.
// Ownership: the server's key holds a shared_ptr (SetValue), and so does whoever searches in a thread: a
// key that is deleted is gone at once, its set when the last search has ended, in whatever thread.
// Threads: the main thread, but index() (vicinal/index.h), elements().attribute_of() and arena_bytes().
//
// Invariants (tests/redis: serialize_test.cc, restore_test.py):
//   RM4 Between two commands the index holds exactly the labels of the names.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "tools/redis/elements.h"
#include "tools/redis/thread_pool.h"
#include "vicinal/index.h"

namespace vicinal::redis {

class VectorSet {
 public:
  /// `elements`: of the index's labels; null: of none.
  explicit VectorSet(Index index, std::unique_ptr<Elements> elements = nullptr);
  ~VectorSet();
  VectorSet(const VectorSet&) = delete;
  VectorSet& operator=(const VectorSet&) = delete;

  const Index& index() const { return index_; }
  const Elements& elements() const { return *elements_; }
  Elements& elements() { return *elements_; }
  std::uint64_t size() const { return elements_->size(); }
  std::uint32_t dimension() const { return dimension_; }
  /// As they are stored with the index.
  IndexOptions options() const { return index_.options(); }
  /// Another for every set of this process.
  std::uint64_t uid() const { return uid_; }

  /// Stores `vector` under `name`; true when the name is new. `attribute`: set, or removed where empty.
  /// Errors: as Index::upsert(), with nothing changed. Throws std::bad_alloc, std::length_error.
  Result<bool> put(std::string_view name, std::span<const float> vector,
                   std::optional<std::string_view> attribute);
  /// Row i under names[i], as put() one after the other, but all or nothing; how many names are new.
  Result<std::uint64_t> put_all(std::span<const std::string_view> names,
                                std::span<const float> rows, unsigned threads);
  /// Erases `name`; false when it is not there.
  Result<bool> remove(std::string_view name);

  /// Of a label that is there; empty: it has none from now on. Throws std::bad_alloc.
  void set_attribute(Label label, std::string_view attribute);

  /// The highest level in use; of a large set, as it was some writes ago.
  /// Cost: now and then O(size).
  std::uint64_t max_level();

  /// Memory that the server's allocator does not know of: the index's pages.
  std::uint64_t arena_bytes() const { return arena_bytes_.load(std::memory_order_relaxed); }
  /// What of those is not vectors and codes, about: a rebuild makes it once more.
  std::uint64_t graph_bytes() const;
  /// Looks again, exactly.
  /// Cost: O(size).
  void measure();
  /// All that the set takes, arenas too.
  /// Cost: O(size).
  std::size_t memory() const;
  /// What DUMP and MIGRATE send, about.
  std::uint64_t serialized_bytes() const;

  /// Of the child of a fork() beside which this index was being written: the pause of that moment
  /// (fork_guard.h). Null anywhere else.
  std::unique_ptr<PausedWrites> pause;

  /// Sums over the sets of this process.
  /// Threads: any.
  struct Totals {
    std::uint64_t sets = 0;
    std::uint64_t elements = 0;
    std::uint64_t attributes = 0;
    std::uint64_t arena_bytes = 0;
    std::uint64_t large_sets = 0;  ///< of more serialized bytes than asked for
  };
  static Totals totals(std::uint64_t large_bytes);
  /// The same sum of arena bytes, for one load.
  static std::uint64_t all_arena_bytes();

 private:
  /// After a write: the account goes on by what a vector cost when it was measured last.
  void account();
  void set_arena_bytes(std::uint64_t bytes);
  std::uint64_t writes_until_measure(const Stats& stats) const;
  /// Tells the log, once, that the set has become too large to be moved by slots.
  void warn_when_large();

  Index index_;
  const std::uint32_t dimension_;
  std::uint8_t measured_levels_ = 0;
  bool warned_ = false;
  std::unique_ptr<Elements> elements_;  ///< never null
  const std::uint64_t uid_;
  std::uint64_t measured_nodes_ = 0;
  std::uint64_t measured_bytes_ = 0;
  std::uint64_t writes_ = 0;    ///< since it was measured
  std::uint64_t next_measure_;  ///< after so many
  std::atomic<std::uint64_t> arena_bytes_{0};
  // For totals(): copies that any thread may read.
  std::atomic<std::uint64_t> shown_size_{0};
  std::atomic<std::uint64_t> shown_attributes_{0};

  VectorSet* before_ = nullptr;  ///< in the list of all sets
  VectorSet* after_ = nullptr;
};

/// While it lives, a large set whose last holder goes in this thread is taken apart in one of `pool`, if that
/// has any: it is gone at once, its memory soon.
class FreeElsewhere {
 public:
  explicit FreeElsewhere(ThreadPool& pool);
  ~FreeElsewhere();
  FreeElsewhere(const FreeElsewhere&) = delete;
  FreeElsewhere& operator=(const FreeElsewhere&) = delete;
};

/// What the server's key points to.
using SetValue = std::shared_ptr<VectorSet>;

}  // namespace vicinal::redis
