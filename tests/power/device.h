// Device: what a program gave to the disk, in order, and what the disk has promised since.
//
// What: it observes the system calls below a folder and keeps a log: bytes written, sizes set, names
// made and taken away, syncs begun and done. A write through a descriptor opened O_DSYNC or O_SYNC is
// followed by its own sync, of that write alone. Names are as durable as the folder they are in: only
// a sync of the folder keeps them. Writes to a map are not seen; stores write so to LMDB's table of
// readers only.
// Ownership: the log; the folder is the caller's.
// Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/faults/system_calls.h"

namespace vicinal::testing {

/// A file or folder; names lead to it. 0: none.
using FileId = std::uint32_t;

struct Event {
  enum class Kind : std::uint8_t {
    kWrite,      ///< file, offset, bytes
    kSize,       ///< file, offset: the new size
    kName,       ///< path leads to file from now on, and other (empty: none) leads nowhere
    kSyncBegin,  ///< file
    kSyncEnd,    ///< file; of: its kSyncBegin, or the one write that is durable now
    kMark        ///< of the workload's
  };
  Kind kind = Kind::kMark;
  FileId file = 0;
  std::int64_t offset = 0;
  std::vector<std::byte> bytes = {};
  std::string path = {};
  std::string other = {};
  std::size_t of = 0;
};

class Device : public SystemObserver {
 public:
  /// What is in the folder `root` already counts as durable.
  explicit Device(std::string root);

  /// Its place in the log.
  std::size_t mark();

  // After the last call that is to be seen.

  const std::string& root() const { return root_; }
  const std::vector<Event>& events() const { return events_; }
  /// What was there before the log begins, by path; folders have no bytes.
  const std::map<std::string, FileId>& first_names() const { return first_names_; }
  const std::map<FileId, std::vector<std::byte>>& first_bytes() const { return first_bytes_; }
  bool is_folder(FileId file) const { return folders_.contains(file); }
  /// The last `count` events before `position`, in words.
  std::string told(std::size_t position, std::size_t count) const;

  Verdict before(const SystemCall& call) override;
  void after(const SystemCall& call, long result) override;

 private:
  void adopt(const std::string& path);
  void opened(const SystemCall& call, int fd);
  void written(const SystemCall& call, std::size_t bytes);
  void resized(FileId file, std::int64_t size);
  void named(const std::string& path, FileId file, const std::string& other);
  FileId file_of(const SystemCall& call) const;
  std::size_t add(Event event);

  const std::string root_;
  mutable std::mutex mutex_;
  std::vector<Event> events_;
  std::map<std::string, FileId> first_names_;
  std::map<FileId, std::vector<std::byte>> first_bytes_;
  std::map<std::string, FileId> names_;  ///< as they are now
  std::map<FileId, bool> folders_;
  std::map<int, FileId> descriptors_;
  std::map<int, std::size_t> syncing_;  ///< by descriptor, its kSyncBegin
  FileId last_ = 0;
};

}  // namespace vicinal::testing
