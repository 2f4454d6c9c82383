// StoreFile: the way to disk. One LMDB environment that holds the records of any number of named
// indexes.
//
// What: records of all indexes side by side (meta, vectors, nodes, links, journal), group commit, checkpoint, recovery,
// verification, compact copies. FORMAT.md beside this file is the byte-level truth. This room knows
// nothing of how a graph works: it stores rows, node records and links, and gives them back.
// Ownership: a StoreFile owns the environment; IndexRecords belong to their StoreFile and die
// before it.
// Threads: every method from any thread unless said otherwise. LMDB's single writer is behind one
// mutex, which is never held while waiting for a caller's code that may block.
//
// Invariants (checked by tests/persist and by verify()):
//   P1  What append() or append_batch() acknowledged is found by load() after kill -9 at any
//       instant, with its exact row, unless a later operation replaced it.
//   P2  What was not acknowledged is found whole or not at all; a batch likewise, however many
//       transactions it took.
//   P3  Every record carries a version and a checksum over its key and value; no length is believed
//       before it is bounded by the index's own limits.
//   P4  A crash during a checkpoint loses nothing: journal entries go in the transaction that
//       stores what they said, links go before the entries they belong to.
//   P5  No read transaction outlives a call (or a RowReader).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/mutex.h"
#include "persist/file_lock.h"
#include "persist/index_records.h"
#include "persist/stored_options.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/stored_stats.h"
#include "vicinal/types.h"

namespace vicinal::persist {

class Catalog;
class CommitQueue;
class Environment;
class SharedDatabases;
struct StoredIndex;

class StoreFile {
 public:
  /// See Store::open for errors. Checks the data file's size before mapping it, takes the writer's
  /// lock (a registry by device and inode in this process, a lock file across processes), clears
  /// stale readers.
  static Result<std::unique_ptr<StoreFile>> open(const std::string& path,
                                                 const StoreOptions& options);
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;
  ~StoreFile();

  /// Under durability that leaves it to others, syncs what was written: the end of a clean close, when
  /// no index is open any more. Else the destructor does, and cannot tell.
  Status finish();

  const StoreOptions& options() const { return options_; }
  const std::string& path() const { return path_; }

  Result<std::vector<std::string>> index_names();
  Result<std::unique_ptr<IndexRecords>> create_index(std::string_view name,
                                                     const StoredOptions& options);
  /// kBusy while there are IndexRecords of that name.
  Result<std::unique_ptr<IndexRecords>> open_index(std::string_view name);
  /// kNotFound: another process has dropped the index of that name and numeric id meanwhile, whose records
  /// seem to be damaged then. Else OK.
  Status dropped_since(std::string_view name, std::uint32_t id);
  /// The name is free when this returns, and a small index is gone; the records of a large one are
  /// left to delete_dropped(). No IndexRecords of that name may be alive.
  Status drop_index(std::string_view name);
  /// One step of deleting what dropped indexes have left. False when there is nothing to be done,
  /// which costs a look at a flag, or nothing can: the next drop, or opening the store, tries again.
  bool delete_dropped() noexcept;
  bool has_dropped() const { return some_dropped_.load(); }

  /// Records that are of no index: how many ids they have, with a line for each of the first 100.
  Result<std::uint64_t> verify_ids(std::vector<std::string>* messages);

  /// What the records say of an index that need not be open, and may be (summary.h, lookup.h).
  Result<StoredStats> stored_stats(std::string_view name, StoredOptions& options);
  Result<StoredVectors> stored_vectors(std::string_view name, std::span<const Label> labels);

  Status sync();
  Status backup(const std::string& path);
  std::uint64_t bytes_on_disk() const;
  /// Of address space for the file; grows by itself.
  std::uint64_t map_bytes() const;
  /// How large upserts may make the file (N3); 0: no limit.
  std::uint64_t most_bytes_of_upserts() const;
  /// Readers of killed processes that opening cleared.
  int stale_readers() const;

 private:
  StoreFile(std::string path, const StoreOptions& options, FileLock lock,
            std::unique_ptr<Environment> environment);
  /// Makes the store itself durable, and marks it.
  Status keep_made();
  /// An index to be read beside whoever has it open; it must not outlive the call. One transaction for
  /// finding and reading: beside another process's drop a second one might find nothing of it.
  struct Seen;
  Result<Seen> look_at(std::string_view name);
  Status check_outside(const std::string& path) const;
  /// A name that has, or is about to have, IndexRecords: others get kBusy.
  class Hold;
  void release(const std::string& name);
  Result<std::unique_ptr<IndexRecords>> keep(std::unique_ptr<StoredIndex> index, Hold& hold);

  const std::string path_;
  const StoreOptions options_;
  FileLock lock_;  // released after the environment is closed
  const std::unique_ptr<Environment> environment_;
  const std::unique_ptr<CommitQueue> queue_;
  const std::unique_ptr<Catalog> catalog_;
  const std::unique_ptr<SharedDatabases> databases_;
  bool finished_ = false;
  std::atomic<bool> some_dropped_{false};  ///< of some there may be records left

  internal::Mutex open_mutex_;
  // Names with live IndexRecords.
  std::set<std::string, std::less<>> open_ VICINAL_GUARDED_BY(open_mutex_);
};

}  // namespace vicinal::persist
