// LoadContext: what the parts of one load share (load.cc, node_loader.h).
//
// Ownership: refers to what the caller of load() gave; owns the rest.
// Threads: the loading thread, but for what NodeLoader says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "persist/chunk_room.h"
#include "persist/chunks.h"
#include "persist/freed_nodes.h"
#include "persist/index_databases.h"
#include "persist/journal.h"
#include "persist/lmdb_env.h"
#include "persist/loading.h"
#include "persist/records.h"
#include "persist/set_aside.h"
#include "persist/value_reader.h"

namespace vicinal::persist {

struct LoadContext {
  ReadTransaction& snapshot;
  Transaction& transaction;  ///< the snapshot's
  const IndexDatabases& databases;
  const std::uint32_t index;  ///< numeric id
  const std::string& name;
  const ChunkLayout layout;
  LoadVisitor& visitor;
  const LoadOptions& options;
  const Environment& environment;
  ValueReader reader;

  StateRecord state = {};
  FreedNodes freed = {};
  std::uint64_t node_limit = 0;      ///< the state's, or more where the journal has more
  std::vector<bool> delivered = {};  ///< by node
  LoadReport report = {};
  SetAside set_aside = {};

  void note(std::string message);
  /// A damaged record: the load's end, or noted to be set aside.
  Status aside(const Status& damage);
  /// Progress: kCancelled when the caller says so. He may write, and the map may have to move for that: of
  /// a store that is written to the snapshot is another afterwards, in which nobody has changed this index.
  /// No cursor may live, nor anything be used afterwards that was found before.
  Status tell(const char* phase, std::uint64_t done, std::uint64_t total);
  /// A chunk's record; the reader learns from the first.
  Result<Bytes> find_chunk(std::uint32_t chunk);
  /// copy_chunk() of a chunk that was found.
  Result<ChunkRows> verified_rows(std::uint32_t chunk, const Result<Bytes>& value,
                                  ChunkRoom* room) const;
};

}  // namespace vicinal::persist
