// StoreCore: an open store: its file, its open indexes, its background thread. Store is a handle.
//
// Ownership: owns the StoreFile; indexes are shared with their handles, which outlive it closed.
// Threads: every method from any thread. Who opens, makes or drops an index has the turn at its
// name; nobody waits for other indexes, or for a backup. calls_ lets close() wait for whoever is
// inside. A callback waits for no turn (callback.h). registry_ guards the map alone. Order: calls_,
// opening_, registry_.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/background.h"
#include "engine/base/mutex.h"
#include "engine/file_watch.h"
#include "engine/gate.h"
#include "engine/index_core.h"
#include "engine/named_turns.h"
#include "engine/turn.h"
#include "persist/index_records.h"
#include "persist/store_file.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class StoreCore final : private PutOff {
 public:
  /// Whoever lets go of it last inside a call, or on its own thread, closes it when that has ended.
  static Result<std::shared_ptr<StoreCore>> open(const std::string& path,
                                                 const StoreOptions& options);
  explicit StoreCore(std::unique_ptr<persist::StoreFile> file);
  StoreCore(const StoreCore&) = delete;
  StoreCore& operator=(const StoreCore&) = delete;

  // The verbs of Store (see there).
  Result<std::shared_ptr<IndexCore>> index(std::string_view name, const IndexOptions& options);
  Result<std::shared_ptr<IndexCore>> open_index(std::string_view name, const IndexOptions& tuning);
  Result<std::vector<std::string>> index_names();
  Status drop_index(std::string_view name);
  Status checkpoint();
  Status sync();
  Status backup(const std::string& path);
  Result<std::uint64_t> verify_records(std::vector<std::string>* messages);
  Status for_each_journal_entry(std::string_view name,
                                const std::function<bool(const std::string&)>& visit);
  Result<StoredStats> stored_stats(std::string_view name);
  Result<std::vector<std::vector<float>>> stored_vectors(std::string_view name,
                                                         std::span<const Label> labels);
  Status close();
  const std::string& path() const { return path_; }

 private:
  ~StoreCore() override;
  /// Destroys it: here, at the end of its own thread, or when this thread's pauses of writes have
  /// ended.
  void finish() noexcept override;
  Status closed_status() const;
  /// Closes, whatever happens: waits for whoever is inside, lets go of indexes, thread and file.
  Status end() noexcept;
  /// kBusy: a callback must not wait; or must not close what it was called from.
  Status refused() const;
  std::vector<std::shared_ptr<IndexCore>> open_indexes();
  std::shared_ptr<IndexCore> find(std::string_view name);
  /// An index whose writes this thread, inside no call, has paused; or null.
  std::shared_ptr<IndexCore> paused_by_this_thread();
  /// With the turn at its name: loads `name`, or makes it.
  Result<std::shared_ptr<IndexCore>> load(std::string_view name, const IndexOptions& options,
                                          std::unique_ptr<persist::IndexRecords> records);
  /// Closes `name` and drops it; some of its records may be left to delete.
  Status take_from_catalog(std::string_view name);
  /// Whether what was asked for goes with what is stored: check_agreement() or check_tuning().
  using Agreement = Status(std::string_view name, const IndexOptions& asked,
                           const persist::StoredOptions& stored);
  /// The index `name` if it is open and agrees; else what load() gives, with the turn at its name.
  template <typename Load>
  Result<std::shared_ptr<IndexCore>> open_once(std::string_view name, const IndexOptions& options,
                                               Agreement& agree, const Load& load);
  /// With the turn at its name: loads the stored index `name`.
  /// Errors: kNotFound, those of `agree`, and of loading.
  Result<std::shared_ptr<IndexCore>> load_stored(std::string_view name, const IndexOptions& tuning,
                                                 Agreement& agree);

  const std::string path_;
  Gate calls_{true};
  NamedTurns opening_;
  Turn closing_;
  std::unique_ptr<persist::StoreFile> file_;  // changes only in close(), behind calls_
  FileWatch watch_;  ///< used by calls and by the background thread, while there is a file
  internal::Mutex registry_;
  std::map<std::string, std::shared_ptr<IndexCore>, std::less<>> indexes_
      VICINAL_GUARDED_BY(registry_);
  std::unique_ptr<Background> background_;  // set before any index is opened, until close()
};

}  // namespace vicinal::engine
