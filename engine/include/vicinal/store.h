// Store: one LMDB environment on disk that holds any number of named indexes.
//
// What: the handle that users hold. Copies share one store; the last one to go closes it. One
// process opens a path for writing once: a second one, or a second open in the same process, gets
// kBusy.
// The last one may go in a callback: the store is then closed when the outermost call that the
// callback belongs to ends, on that call's thread and before it returns, or, after an event of the
// store's own thread, soon and by that thread. Until then its path is kBusy, its indexes go on, and
// events may come. A process that ends before loses nothing that was acknowledged.
// Threads: every method may be called from any thread; the store's own are one that commits single
// writes, from the first on and unless Durability::kNone, and that of StoreOptions::background.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vicinal/index.h"
#include "vicinal/options.h"
#include "vicinal/requirements.h"
#include "vicinal/status.h"
#include "vicinal/stored_stats.h"
#include "vicinal/types.h"

namespace vicinal {

namespace engine {
class StoreCore;
}  // namespace engine

/// Handles do not pass over fork(): in a child every call of theirs, and of their indexes, answers
/// kClosed, and to destroy them does nothing. A child may open the store itself, as any other process
/// may.
class Store {
 public:
  /// Opens the store at the folder `path`, making it when options.create says so.
  /// Errors: kNotFound          no store there and options.create is false.
  ///         kInvalidArgument   the path is a file or a folder with other content.
  ///         kBusy              open for writing elsewhere (this process or another); open for reading in
  ///                            this process, or by one that may not write lock.mdb.
  ///         kIoError           no permission, read-only file system (see StoreOptions::read_only);
  ///                            no thread for StoreOptions::background.
  ///         kCorruption        truncated, not LMDB's, or a page that LMDB would walk is damaged.
  ///         kFormatVersion     another release's; see convert().
  static Result<Store> open(const std::string& path, const StoreOptions& options = {});

  /// Makes a store of an earlier format one that this release opens. It is copied beside itself, so
  /// there must be room for that, and the copy takes its place at once: a crash or a power cut leaves
  /// one or the other. False when there is nothing to do.
  /// Errors: kNotFound, kInvalidArgument, kCorruption as open(); kBusy  open for writing;
  ///         kFormatVersion  of a later release; kIoError, kFull. Nothing is changed then.
  static Result<bool> convert(const std::string& path);

  /// The index called `name` (1 to 100 bytes of letters, digits, '_', '-', '.'), opened or created.
  ///
  /// The first call in a process loads it, by all threads: vectors and checkpointed links are
  /// verified and read, the journal is replayed. Later calls return the same index.
  /// Errors: kInvalidArgument  stored options differ (both values named); dimension 0 for a new
  ///                           index.
  ///         kCorruption       a node or vector record is damaged (its label named);
  ///                           see IndexOptions::salvage.
  ///         kIoError          the file cannot be read, which salvage does not mend.
  ///         kCancelled        options.progress said so.
  Result<Index> index(std::string_view name, const IndexOptions& options);

  /// The existing index called `name` as it is stored; `tuning` gives the fields that are not stored
  /// (threads, progress, ...). A stored field in it may be as stored or as it is by default.
  /// Errors: kNotFound, and as index().
  Result<Index> open_index(std::string_view name, const IndexOptions& tuning = {});

  /// Names of the stored indexes, sorted.
  /// Errors: kCorruption  one of them is damaged; the others open all the same.
  Result<std::vector<std::string>> index_names() const;

  /// What the file says about the index called `name`, open or not, without loading it.
  /// Threads: any; waits for whoever opens that index.
  /// Errors: kNotFound; kCorruption  a record that had to be read is damaged; kIoError.
  /// Cost: reads the node blocks and the journal; of vectors and links only how long their records
  /// are. Holds a byte a node.
  Result<StoredStats> stored_stats(std::string_view name) const;

  /// The vectors stored under `labels` in the index called `name`, open or not, without loading it:
  /// as many as there are labels, in their order, the exact bits that Index::get() gives; empty
  /// where a label is not live.
  /// Errors: as stored_stats(); kCorruption  the chunk of a vector is damaged.
  /// Cost: one walk over node blocks and journal for all labels together, and a chunk (at most 64
  /// KiB, or a row) for each vector. Memory: the answer.
  Result<std::vector<std::vector<float>>> stored_vectors(std::string_view name,
                                                         std::span<const Label> labels) const;

  /// Deletes the index and everything stored for it; handles to it answer kClosed afterwards. It is
  /// gone, and the name free, by one commit; what it had stored follows in steps, between which
  /// others write. A crash then loses nothing but time: the store goes on when it is next open.
  /// Where it fails the index stays stored as it was; its handles answer kClosed all the same, and
  /// open_index() gives new ones.
  Status drop_index(std::string_view name);

  /// Checkpoints every open index.
  Status checkpoint();
  /// Makes every acknowledged write survive a power cut, whatever the durability.
  /// Errors: kIoError, kFull  the disk would not. From then on it fails always: what the system could not
  ///                          write it does not try again. backup() to another disk has it. Closing fails
  ///                          too, but for full durability, whose commits have waited for the disk.
  Status sync();

  /// Writes a compact copy of the whole store to the folder `path` (absent or empty, or with what a
  /// backup left that was killed) while readers and writers go on; but a write that must move the map (near
  /// StoreOptions::max_map_bytes, or where the system grants little address space) waits for its end, and
  /// writers with it. The copy is a store of its own. This is also the way to shrink. kBusy: another backup
  /// into it is under way.
  Status backup(const std::string& path) const;

  /// Verifies the checksum of every stored record of every index without loading graphs.
  /// Returns the number of records that fail; `messages` (may be null) gets a line for each, at
  /// most 100.
  Result<std::uint64_t> verify_records(std::vector<std::string>* messages = nullptr) const;

  /// The journal of an index, oldest first, one JSON object an entry: {"seq":..,"op":..,...}. For
  /// the tool's dump.
  Status for_each_journal_entry(std::string_view name,
                                const std::function<bool(const std::string& json)>& visit) const;

  /// Checkpoints (unless read-only) and closes; open indexes answer kClosed from then on. Done by
  /// the last handle's destruction, which cannot report errors: call it to see them.
  /// Errors: kBusy           called inside a callback of this store or of one of its indexes (all but
  ///                         Index::for_each_node()'s), or inside any filter of a search.
  ///         kIoError, kFull the checkpoint could not be written; the store is closed.
  Status close();

  const std::string& path() const;

  explicit Store(std::shared_ptr<engine::StoreCore> core);  ///< internal
  Store(const Store&);
  Store(Store&&) noexcept;
  Store& operator=(const Store&);
  Store& operator=(Store&&) noexcept;
  ~Store();

 private:
  std::shared_ptr<engine::StoreCore> core_;
};

}  // namespace vicinal
