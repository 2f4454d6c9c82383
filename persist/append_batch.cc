#include "persist/append_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <numeric>
#include <span>
#include <vector>

#include "engine/base/check.h"
#include "persist/chunks.h"
#include "persist/codec.h"
#include "persist/failpoints.h"
#include "persist/journal.h"

namespace vicinal::persist {
namespace {

// Dirty pages are held in memory until the commit, and nobody else writes meanwhile: a few
// milliseconds.
constexpr std::uint64_t kTransactionBytes = 4ull << 20;

struct ChunkRowsToStore {
  std::uint32_t chunk = 0;
  std::vector<RowToStore> rows;
};

/// The batch's rows by chunk, ascending.
std::vector<ChunkRowsToStore> rows_by_chunk(const Batch& batch, const ChunkLayout& layout) {
  std::vector<std::size_t> order(batch.nodes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!std::is_sorted(batch.nodes.begin(), batch.nodes.end())) {
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return batch.nodes[a] < batch.nodes[b]; });
  }
  std::vector<ChunkRowsToStore> chunks;
  for (const std::size_t i : order) {
    const graph::NodeId node = batch.nodes[i];
    const std::uint32_t chunk = layout.chunk_of(node);
    if (chunks.empty() || chunks.back().chunk != chunk) chunks.push_back({chunk, {}});
    chunks.back().rows.push_back({layout.slot_of(node), batch.row(i)});
  }
  return chunks;
}

/// Deletes what a batch that came to nothing has written, as far as that can be done: chunks that are
/// all its own. The first and the last may have rows of others.
void take_back(StoredIndex& index, std::span<const ChunkRowsToStore> written) noexcept {
  constexpr std::size_t kAtOnce = 256;
  try {
    for (std::size_t next = 0; next < written.size(); next += kAtOnce) {
      const std::span<const ChunkRowsToStore> step =
          written.subspan(next, std::min(kAtOnce, written.size() - next));
      const Status status = index.environment.write([&](Transaction& transaction) -> Status {
        for (const ChunkRowsToStore& chunk : step) {
          if (chunk.rows.size() != index.layout.rows_per_chunk) continue;
          Status s = index.databases.vectors.remove(transaction, Key32(chunk.chunk).bytes());
          if (!s.ok()) return s;
        }
        return {};
      });
      if (!status.ok()) return;
    }
  } catch (const std::bad_alloc&) {
    return;  // rows of nodes that nobody has
  }
}

Status check(const StoredIndex& index, const Batch& batch) {
  if (index.environment.read_only()) return Status::read_only("the store was opened for reading");
  const std::size_t n = batch.nodes.size();
  if (n > kMaxBatch) {
    return Status::invalid_argument(fmt::format("a batch of {} rows, at most {}", n, kMaxBatch));
  }
  if (batch.labels.size() != n || batch.levels.size() != n || batch.replaced.size() != n ||
      batch.resurrected.size() != batch.resurrected_labels.size() || (n != 0 && !batch.row)) {
    return Status::invalid_argument(
        fmt::format("a batch of {} nodes, {} labels, {} levels, {} replaced", n,
                    batch.labels.size(), batch.levels.size(), batch.replaced.size()));
  }
  for (const graph::NodeId node : batch.freed) {
    if (graph::raw(node) >= graph::kMaxNodes) {
      return Status::invalid_argument(fmt::format("node {} is out of range", graph::raw(node)));
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (graph::raw(batch.nodes[i]) >= graph::kMaxNodes || batch.levels[i] >= graph::kMaxLevels) {
      return Status::invalid_argument(fmt::format("entry {} of the batch: node {}, level {}", i,
                                                  graph::raw(batch.nodes[i]), batch.levels[i]));
    }
  }
  return {};
}

}  // namespace

Result<Sequence> append_batch(StoredIndex& index, const Batch& batch) {
  if (Status status = check(index, batch); !status.ok()) return status;
  const std::vector<ChunkRowsToStore> chunks = rows_by_chunk(batch, index.layout);
  const std::uint64_t per_transaction =
      std::max<std::uint64_t>(kTransactionBytes / index.layout.chunk_bytes(), 1);
  RecordBuffer entry = encode(BatchView{batch.nodes, batch.labels, batch.levels, batch.replaced,
                                        batch.resurrected, batch.resurrected_labels});
  Operation free;
  free.kind = OperationKind::kFree;
  free.nodes = batch.freed;
  RecordBuffer free_entry;
  if (!batch.freed.empty()) free_entry = encode(free);
  AllottedSequence sequence(index.ledger);
  // Finished at once: a checkpoint takes entries in order, and the one before it is not.
  AllottedSequence free_sequence(index.ledger);
  std::size_t next = 0;
  do {
    const std::size_t end = std::min<std::size_t>(next + per_transaction, chunks.size());
    Status status = index.environment.write(
        [&](Transaction& transaction) -> Status {
          for (std::size_t i = next; i < end; ++i) {
            VICINAL_RETURN_IF_ERROR(write_rows(transaction, index.databases.vectors, index.layout,
                                               chunks[i].chunk, chunks[i].rows));
          }
          if (end != chunks.size()) return {};
          VICINAL_RETURN_IF_ERROR(failpoints::reach("batch.before_entry"));
          CountedRange journal(transaction, index.databases.journal);
          sequence.allot();  // the closure runs again after the map grew
          Status s = put_entry(journal, sequence.get(), entry, PutMode::kNew);
          if (s.ok() && !batch.freed.empty()) {
            free_sequence.allot();
            s = put_entry(journal, free_sequence.get(), free_entry, PutMode::kNew);
          }
          if (s.ok()) s = journal.flush();
          return s.ok() ? failpoints::reach("batch.before_commit") : s;
        },
        WriteKind::kAdds);
    if (status.ok()) status = failpoints::reach("batch.between");
    if (!status.ok()) {
      take_back(index, std::span(chunks).first(next));
      return status;
    }
    next = end;
  } while (next < chunks.size());
  return sequence.keep();
}

}  // namespace vicinal::persist
