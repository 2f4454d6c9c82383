// ScatteredRows: the rows of the journal that go to their chunks before their entries leave it.
//
// What: entries leave the journal in order, a few a step. Rows in fresh slots follow each other,
// and a step writes its rows' chunks once; rows in slots that are used again lie anywhere, and a
// step would write a chunk for each of them, the next step the same chunks again. So a checkpoint
// writes those first, chunk by chunk, each chunk once. That early they harm nobody: while the entry
// stands its row is read from there, and the slot's former node is doomed (R1).
// Ownership: owns its list.
// Threads: one.
// Cost: 24 bytes of memory for each; a chunk read and written for each chunk they lie in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "persist/chunks.h"
#include "persist/freed_nodes.h"
#include "persist/index_databases.h"
#include "persist/journal.h"

namespace vicinal::persist {

class ScatteredRows {
 public:
  /// Slots from `node_limit` on were never used.
  ScatteredRows(const ChunkLayout& layout, std::uint64_t node_limit)
      : layout_(layout), expected_(node_limit) {}

  /// Every upsert of the journal, in its order; then sort().
  void see(Sequence sequence, graph::NodeId node);
  void sort();

  std::size_t size() const { return by_chunk_.size(); }
  /// see() found that the row goes first.
  bool contains(Sequence sequence) const;

  /// Stores rows from the `next`-th on, those that are not doomed, whole chunks of about `bytes`
  /// bytes together; `next` becomes the first that is left, `count` grows by what was stored.
  Status store(Transaction& transaction, const IndexDatabases& databases, const FreedNodes& freed,
               std::uint64_t bytes, std::size_t* next, std::uint64_t* count) const;

 private:
  struct Row {
    graph::NodeId node;
    Sequence sequence;
  };

  const ChunkLayout layout_;
  std::uint64_t expected_;  ///< of fresh slots this is the next
  std::vector<Row> by_chunk_;
  std::vector<Sequence> sequences_;
};

}  // namespace vicinal::persist
