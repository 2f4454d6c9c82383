// StoredIndex: what every verb of an index works on, handed from IndexRecords to the verbs.
//
// What: the environment, the index's ranges and options, where its rows lie, and what lives in
// memory only: which operations are not applied yet.
// The verbs are append_batch.h, load.h, checkpoint.h, verify.h, journal_dump.h.
// Ownership: belongs to its IndexRecords; the environment outlives it.
// Threads: any; the ledger looks after itself, the rest never changes.
//
// Invariants:
//   R1  A slot is reused only after the kFree entry of its former node is committed. So a node that
//       a journal entry frees later is doomed: load() never delivers it, and rows that a batch
//       writes into a free slot's chunk harm nobody, whether the batch counts in the end or not.
//   R2  Node records change only by checkpoints, in the transaction that deletes the journal
//       entries that say so.
//   R3  Sequences in the journal ascend, and are greater than StateRecord::applied.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "persist/chunks.h"
#include "persist/index_databases.h"
#include "persist/lmdb_env.h"
#include "persist/sequence_ledger.h"
#include "persist/stored_options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

struct StoredIndex {
  Environment& environment;
  const std::string name;
  const std::uint32_t index;  ///< numeric id
  const IndexDatabases databases;
  const StoredOptions options;
  const ChunkLayout layout;
  SequenceLedger ledger = {};

  /// Makes the records of an index without nodes.
  static Status create(Transaction& transaction, std::uint32_t index,
                       const IndexDatabases& databases, const StoredOptions& options);
  /// Finds out where the journal goes on. Looks at records of this index only.
  /// Errors: kCorruption, kFormatVersion.
  static Result<std::unique_ptr<StoredIndex>> open(Environment& environment,
                                                   Transaction& transaction, std::string name,
                                                   std::uint32_t index,
                                                   const IndexDatabases& databases);
};

}  // namespace vicinal::persist
