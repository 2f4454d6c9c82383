// Saver: one Index::save(), from the choice of nodes to the last piece.
//
// What: chooses the nodes of a graph::CopyView, numbers them, hands over their payloads, then their links
// by number. SaveRoom is all the memory that it needs, made before, so that the child of a fork() can save
// without an allocation.
// Ownership: of one call; borrows everything.
// Threads: its own thread's. Takes no lock; allocates nothing where the graph has the rows.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/fresh_rows.h"
#include "engine/index_state.h"
#include "engine/node_numbers.h"
#include "graph/copy_view.h"
#include "persist/byte_buffer.h"
#include "persist/stream_writer.h"
#include "vicinal/status.h"
#include "vicinal/stream.h"

namespace vicinal::engine {

/// Of an index with nodes below a limit.
struct SaveRoom {
  /// Throws std::bad_alloc.
  SaveRoom(const IndexOptions& options, std::uint64_t limit);

  NodeNumbers numbers;
  persist::ByteBuffer buffer;  ///< of a piece
};

class Saver {
 public:
  /// `rows`: where rows are that the graph does not hold; null when it holds all. `room` was made for the
  /// view's limit.
  Saver(const IndexState& state, const graph::CopyView& view, StoredRows* rows, SaveRoom& room,
        const ByteSink& sink)
      : state_(state),
        view_(view),
        rows_(rows),
        room_(room),
        writer_(room.buffer.bytes(), persist::stream_version(state.options.storage), sink) {}
  Saver(const Saver&) = delete;
  Saver& operator=(const Saver&) = delete;

  /// Once.
  Status run();

 private:
  Status write_head();
  Status write_nodes();
  /// The nodes from `first` on, as many as `piece` has; returns the one behind them.
  Result<graph::NodeId> fill(const persist::NodesPiece& piece, graph::NodeId first);
  Status write_links();
  /// How many bytes the links of `node` take at most.
  std::size_t gather(graph::NodeId node);
  /// Writes what was gathered, as far as it leads to chosen nodes; returns the end.
  std::byte* put_links(std::byte* at) const;
  Status unreadable(graph::NodeId node) const;

  const IndexState& state_;
  const graph::CopyView& view_;
  StoredRows* const rows_;
  SaveRoom& room_;
  persist::StreamWriter writer_;
  std::array<graph::LevelLinksView, graph::kMaxLevels> levels_{};  ///< gathered
  std::size_t level_count_ = 0;
};

}  // namespace vicinal::engine
