#include "persist/lookup.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "persist/chunks.h"
#include "persist/node_states.h"

namespace vicinal::persist {
namespace {

/// Follows the nodes of the labels that are asked for; all others pass by.
class Finder final : public StateVisitor {
 public:
  explicit Finder(std::span<const Label> labels) {
    for (const Label label : labels) live_.emplace(label, graph::kNoNode);
  }

  void node(graph::NodeId node, const StoredNode& stored) override {
    const auto wanted = live_.find(stored.label);
    if (wanted == live_.end()) return;
    nodes_[graph::raw(node)] = {stored.label, {}};
    if (stored.state != graph::NodeState::kLive) return;
    if (wanted->second != graph::kNoNode && damage_.ok()) {
      damage_ =
          Status::corruption(fmt::format("label {} has two live nodes, {} and {}", stored.label,
                                         graph::raw(wanted->second), graph::raw(node)));
    }
    wanted->second = node;
  }
  void upsert(Label label, graph::NodeId node, graph::Level, graph::NodeId replaced,
              std::span<const std::byte> row) override {
    if (replaced != graph::kNoNode) erase(replaced);
    take_slot(node, label);
    const auto wanted = live_.find(label);
    if (wanted == live_.end()) {
      nodes_.erase(graph::raw(node));
      return;
    }
    nodes_[graph::raw(node)] = {label, {row.begin(), row.end()}};
    wanted->second = node;
  }
  void erase(graph::NodeId node) override {
    const auto known = nodes_.find(graph::raw(node));
    if (known == nodes_.end()) return;
    graph::NodeId& live = live_.at(known->second.label);
    if (live == node) live = graph::kNoNode;
  }
  void resurrect(graph::NodeId node) override {
    const auto known = nodes_.find(graph::raw(node));
    if (known != nodes_.end()) live_.at(known->second.label) = node;
  }

  const Status& status() const { return damage_; }
  graph::NodeId live(Label label) const { return live_.at(label); }
  /// The row that the journal has for a node that is followed; empty when it is in its chunk.
  const std::vector<std::byte>& journaled(graph::NodeId node) const {
    return nodes_.at(graph::raw(node)).row;
  }

 private:
  struct Known {
    Label label = 0;
    std::vector<std::byte> row;
  };

  /// A slot is free when another vector gets it: who has it still would have that one's.
  void take_slot(graph::NodeId node, Label label) {
    const auto known = nodes_.find(graph::raw(node));
    if (known == nodes_.end() || known->second.label == label || !damage_.ok()) return;
    if (live_.at(known->second.label) != node) return;
    damage_ = Status::corruption(fmt::format("node {} has two vectors, of labels {} and {}",
                                             graph::raw(node), known->second.label, label));
  }

  std::unordered_map<Label, graph::NodeId> live_;   // of every label asked for
  std::unordered_map<std::uint32_t, Known> nodes_;  // every live one of those is here
  Status damage_;
};

Result<std::vector<std::byte>> row_in_chunk(const StoredIndex& index, Transaction& transaction,
                                            Label label, graph::NodeId node) {
  const std::uint32_t chunk = index.layout.chunk_of(node);
  const Result<Bytes> value = find_chunk(transaction, index.databases.vectors, chunk);
  Status why = value.status();
  if (value) {
    const Result<ChunkRows> rows = read_chunk(index.layout, chunk, *value, true);
    why = rows.status();
    if (rows) {
      const std::byte* const row = row_of(index.layout, *rows, node, &why);
      if (row != nullptr) return std::vector<std::byte>(row, row + index.layout.row_bytes());
    }
  }
  return Status(why.code(), fmt::format("{}; label {} (node {}) of index '{}' has no vector",
                                        why.message(), label, graph::raw(node), index.name));
}

}  // namespace

Result<StoredVectors> lookup(const StoredIndex& index, Transaction& transaction,
                             std::span<const Label> labels) {
  Finder finder(labels);
  Status s = visit_states(index, transaction, finder);
  if (s.ok()) s = finder.status();
  if (!s.ok()) return s;
  std::vector<std::vector<std::byte>> found(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const graph::NodeId node = finder.live(labels[i]);
    if (node == graph::kNoNode) continue;
    found[i] = finder.journaled(node);
    if (!found[i].empty()) continue;
    Result<std::vector<std::byte>> row = row_in_chunk(index, transaction, labels[i], node);
    if (!row) return row.status();
    found[i] = std::move(*row);
  }
  return StoredVectors{index.layout.row, std::move(found)};
}

}  // namespace vicinal::persist
