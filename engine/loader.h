// Loader: one Index::load(): an empty index in memory takes what a stream holds.
//
// What: pieces are placed and restored by all threads, as they come; then the trees are looked at and
// mended, and what came without links is linked. What comes is checked as if an enemy had made it: sums
// say only that a stream is as it was written.
// Ownership: of one call, before the index is shared; borrows its state.
// Threads: the loading thread.
//
// Invariants:
//   E13  Nothing is taken because the stream says how much there will be: memory grows with what came.
//        Levels, which cost lists where a node comes without links, are at most one a node in all, as
//        those that are drawn are with room to spare, and 31.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/allocator.h"
#include "engine/index_state.h"
#include "engine/progress.h"
#include "persist/index_stream.h"
#include "persist/stream_reader.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class Loader {
 public:
  Loader(IndexState& state, const persist::StreamHead& head);
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Reads to the stream's last piece. An error leaves an index that must not be used.
  /// Errors: of the reader; kCorruption  what came cannot be; kCancelled.
  Status run(persist::StreamReader& reader);

 private:
  Status place(persist::Bytes payload);
  /// Of nodes [begin, end) of the piece, whose first is number `placed_`.
  Status place_run(const persist::NodesPiece& piece, const std::byte* from, std::uint64_t begin,
                   std::uint64_t end);
  /// That an upsert can have written it.
  Status check_row(const std::byte* row, internal::Vector<float>& room) const;
  Status check_flat() const;
  Status check_levels(std::span<const std::byte> levels);
  /// Once, behind all nodes.
  Status end_nodes();
  Status take_labels();
  Status restore(persist::Bytes payload);
  Status finish();
  Status cancelled() const;

  IndexState& state_;
  graph::Graph& graph_;
  const persist::StreamHead head_;
  const internal::Workers workers_;
  Reporter reporter_;
  std::uint64_t placed_ = 0;
  std::uint64_t levels_ = 0;    ///< of all placed
  std::uint64_t restored_ = 0;  ///< nodes whose links came, or do not come
  bool nodes_ended_ = false;
};

}  // namespace vicinal::engine
