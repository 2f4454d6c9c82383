#include "persist/node_loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "persist/chunk_room.h"
#include "persist/node_blocks.h"
#include "persist/range_tail.h"

namespace vicinal::persist {
namespace {

constexpr std::uint64_t kRowsPerStep = 4096;
constexpr std::size_t kRowsAtOnce = 32768;  // verified and placed together by all threads
// Consecutive chunks for one thread: their rows and codes fill huge pages of their own, which would
// be cleared twice if two threads met in them.
constexpr std::size_t kRunsAtOnce = 64;

class NodeLoader {
 public:
  explicit NodeLoader(LoadContext& context) : context_(context), layout_(context.layout) {}

  Status run() {
    context_.delivered.assign(context_.node_limit, false);
    const std::uint64_t chunks = chunks_below(context_.state.node_limit);
    NodeBlockReader nodes(context_.transaction, context_.databases.nodes);
    const std::uint64_t step = std::max<std::uint64_t>(kRowsPerStep / layout_.rows_per_chunk, 1);
    for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
      if (chunk % step == 0) {
        // Who is told may move the map (LoadContext::tell()). Else as many as there may be go together.
        if (context_.options.progress) {
          if (Status s = deliver_runs(); !s.ok()) return s;
        }
        const std::uint64_t done = chunk * layout_.rows_per_chunk;
        if (Status s = context_.tell("vectors", done, context_.state.node_limit); !s.ok()) return s;
      }
      Status s = add_run(static_cast<std::uint32_t>(chunk), nodes);
      if (!s.ok()) return s;
      if (run_nodes_.size() < kRowsAtOnce) continue;
      if (s = deliver_runs(); !s.ok()) return s;
    }
    if (Status s = deliver_runs(); !s.ok()) return s;
    return find_strays(nodes.blocks());
  }

 private:
  /// A chunk with nodes to deliver.
  struct Run {
    std::uint32_t chunk = 0;
    std::size_t begin = 0;  ///< of its nodes in run_nodes_
    std::size_t count = 0;
    Result<Bytes> value = Bytes();  ///< the chunk's record
    Status damage;                  ///< the rows cannot be had
    Status refused;                 ///< the visitor's answer
  };

  std::uint64_t chunks_below(std::uint64_t node_limit) const {
    return (node_limit + layout_.rows_per_chunk - 1) / layout_.rows_per_chunk;
  }

  /// Collects the run of a chunk, if there are nodes in it.
  Status add_run(std::uint32_t chunk, NodeBlockReader& nodes) {
    Run run;
    run.chunk = chunk;
    run.begin = run_nodes_.size();
    if (Status s = collect(chunk, &nodes, &run_nodes_); !s.ok()) return s;
    run.count = run_nodes_.size() - run.begin;
    if (run.count == 0) return {};
    run.value = context_.find_chunk(chunk);
    runs_.push_back(std::move(run));
    return {};
  }

  /// Whether there are more node blocks than were met by their numbers: one whose key is damaged is
  /// missing where its nodes were.
  Status find_strays(std::uint64_t met) {
    if (context_.options
            .salvage) {  // chunks under damaged keys are missing above, and go with the nodes
      Status s = keys_beyond(context_.databases.vectors, chunks_below(context_.node_limit),
                             &context_.set_aside.chunk_keys);
      if (!s.ok()) return s;
    }
    const IndexRange& nodes = context_.databases.nodes;
    const std::uint64_t limit = (context_.state.node_limit + kNodesPerBlock - 1) / kNodesPerBlock;
    const Result<bool> beyond = any_from(nodes, limit);
    if (!beyond) return beyond.status();
    const Result<TailRecord> tail = read_tail(context_.transaction, nodes);
    if (tail.ok() && tail->entries == met && !*beyond) return {};
    context_.set_aside.miscounted = true;
    if (Status s = keys_beyond(nodes, limit, &context_.set_aside.node_keys); !s.ok()) return s;
    if (!tail) return context_.aside(tail.status());
    return context_.aside(Status::corruption(
        fmt::format("index '{}' has {} node blocks, {} of them below block {}: the labels of the "
                    "others are lost",
                    context_.name, std::max(tail->entries, met + 1), met, limit)));
  }

  /// Verifies and places the collected runs, as many at once as there are threads.
  Status deliver_runs() {
    context_.options.workers.for_each(runs_.size(), kRunsAtOnce, [this](std::size_t i) {
      Run& run = runs_[i];
      const std::span<LoadedNode> nodes = std::span(run_nodes_).subspan(run.begin, run.count);
      ChunkRoom room;
      run.damage = add_rows(run, nodes, &room);
      if (run.damage.ok()) run.refused = context_.visitor.place(nodes);
    });
    for (const Run& run : runs_) {
      const std::span<const LoadedNode> nodes = std::span(run_nodes_).subspan(run.begin, run.count);
      if (!run.damage.ok()) {
        if (Status s = context_.aside(run.damage); !s.ok()) return s;
        context_.set_aside.chunks.insert(run.chunk);
        for (const LoadedNode& node : nodes) context_.set_aside.nodes.push_back(node.node);
        continue;
      }
      if (!run.refused.ok()) return run.refused;
      for (const LoadedNode& node : nodes) context_.delivered[graph::raw(node.node)] = true;
      context_.report.nodes += run.count;
    }
    runs_.clear();
    run_nodes_.clear();
    return {};
  }

  /// Whether a key of `range` is not less than `limit`.
  Result<bool> any_from(const IndexRange& range, std::uint64_t limit) {
    Result<IndexRange::Walk> cursor = range.walk(context_.transaction);
    if (!cursor) return cursor.status();
    return cursor->seek(Key32(static_cast<std::uint32_t>(limit)).bytes());
  }

  /// The keys of `range` that are no numbers below `limit`.
  Status keys_beyond(const IndexRange& range, std::uint64_t limit,
                     std::vector<std::vector<std::byte>>* keys) {
    Result<IndexRange::Walk> cursor = range.walk(context_.transaction);
    if (!cursor) return cursor.status();
    Result<bool> more = cursor->first();
    for (; more.ok() && *more; more = cursor->next()) {
      std::uint32_t number = 0;
      if (parse_key(cursor->key(), &number) && number < limit) continue;
      keys->emplace_back(cursor->key().begin(), cursor->key().end());
    }
    return more.status();
  }

  /// The nodes of a chunk that live on, without rows.
  Status collect(std::uint32_t chunk, NodeBlockReader* nodes, std::vector<LoadedNode>* run) {
    const std::uint64_t begin = std::uint64_t{chunk} * layout_.rows_per_chunk;
    const std::uint64_t end = std::min(begin + layout_.rows_per_chunk, context_.state.node_limit);
    for (std::uint64_t id = begin; id < end; ++id) {
      const auto node = static_cast<graph::NodeId>(id);
      Result<StoredNode> stored = nodes->at(node);
      if (!stored) {
        const std::uint32_t block = graph::raw(node) / kNodesPerBlock;
        if (context_.set_aside.blocks.empty() ||
            context_.set_aside.blocks.back() != block) {  // a block may span chunks
          if (Status s = context_.aside(stored.status()); !s.ok()) return s;
          context_.set_aside.blocks.push_back(block);
        }
        id |= kNodesPerBlock - 1;  // on to the next block
        continue;
      }
      if (stored->state == graph::NodeState::kFree || context_.freed.doomed(node, 0)) continue;
      run->push_back({node, stored->label, stored->level, stored->state, nullptr});
    }
    return {};
  }

  Status without_vector(const Status& why, std::span<const LoadedNode> nodes) const {
    return Status(why.code(),
                  fmt::format("{}; labels of index '{}' from {} ({} nodes) have no vector",
                              why.message(), context_.name, nodes.front().label, nodes.size()));
  }

  /// From any thread: touches nothing but the nodes and the room.
  Status add_rows(const Run& run, std::span<LoadedNode> nodes, ChunkRoom* room) const {
    Result<ChunkRows> rows = context_.verified_rows(run.chunk, run.value, room);
    Status status = rows.status();
    if (rows.ok() && layout_.slot_of(nodes.back().node) >= rows->count) {
      status = Status::corruption(
          fmt::format("vectors chunk {} of index '{}' has {} rows, node {} is missing", run.chunk,
                      context_.name, rows->count, graph::raw(nodes.back().node)));
    }
    if (!status.ok()) return without_vector(status, nodes);
    for (LoadedNode& node : nodes) {
      node.row = rows->begin + layout_.slot_of(node.node) * layout_.row_bytes();
    }
    return {};
  }

  LoadContext& context_;
  const ChunkLayout& layout_;
  std::vector<Run> runs_;
  std::vector<LoadedNode> run_nodes_;
};

}  // namespace

Status load_nodes(LoadContext& context) { return NodeLoader(context).run(); }

}  // namespace vicinal::persist
