// LinkLoader: link groups from their database to a LoadVisitor.
//
// What: groups are found by the loading thread, thousands at a time, and verified, decoded and
// delivered in slices by whatever threads LoadOptions::parallel has: finding is a hundredth of the
// work.
// Ownership: the transaction, the visitor and the marks outlive it.
// Threads: run() from the loading thread, once. Damage is reported in the order of the records.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "persist/flat_links.h"
#include "persist/index_range.h"
#include "persist/loading.h"

namespace vicinal::persist {

class LinkLoader {
 public:
  /// Links are delivered for nodes that `delivered` marks, one mark per
  /// node below the limit.
  LinkLoader(Transaction& transaction, const IndexRange& links, const std::vector<bool>& delivered,
             LoadVisitor& visitor, const LoadOptions& options)
      : transaction_(transaction),
        links_(links),
        delivered_(delivered),
        visitor_(visitor),
        options_(options) {}

  /// Called with the nodes done so far: an error ends the load.
  using Tell = std::function<Status(std::uint64_t done)>;
  /// Called for every damaged record, with its key.
  using Damaged = std::function<void(std::string message, std::vector<std::byte> key)>;
  Status run(const Tell& tell, const Damaged& damaged);

 private:
  struct Record {
    Bytes key;
    Bytes value;
  };
  /// What became of consecutive records.
  struct Slice {
    std::vector<std::pair<std::string, Bytes>> damage;  ///< messages and keys
    Status failure;
  };

  Status deliver(const Damaged& damaged);
  void deliver_slice(std::span<const Record> records, Slice* slice) const;
  Status read_group(const Record& record, FlatLinks* links) const;

  Transaction& transaction_;
  const IndexRange links_;
  const std::vector<bool>& delivered_;
  LoadVisitor& visitor_;
  const LoadOptions& options_;
  std::vector<Record> records_;
  std::vector<Slice> slices_;
};

}  // namespace vicinal::persist
