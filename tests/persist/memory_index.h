// MemoryIndex: plays the engine; it hands out slots, keeps the truth, reports changed links.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <span>
#include <vector>

#include "persist/checkpoint_source.h"
#include "persist/index_records.h"
#include "tests/persist/loaded.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {

class MemoryIndex final : public CheckpointSource {
 public:
  MemoryIndex(IndexRecords* records, std::uint64_t seed)
      : records_(records), dimension_(records->options().dimension), random_(seed) {}

  void attach(IndexRecords* records) { records_ = records; }

  void upsert(Label label) {
    const std::uint32_t id = take_slot();
    Operation op;
    op.label = label;
    op.node = graph::NodeId{id};
    op.level = random_() % 4;
    op.replaced = live_node(label);
    const std::vector<float> row = make_row(label, ++generation_, dimension_);
    op.row = std::as_bytes(std::span(row));
    commit(op);
    place(id, label, op.level, op.replaced, row);
  }
  bool erase(Label label) {
    const graph::NodeId node = live_node(label);
    if (node == graph::kNoNode) return false;
    Operation op;
    op.kind = OperationKind::kErase;
    op.label = label;
    op.node = node;
    commit(op);
    bury(node);
    return true;
  }
  bool resurrect() {
    for (auto& [id, node] : table) {
      if (node.state != graph::NodeState::kTombstone || live_.contains(node.label)) continue;
      Operation op;
      op.kind = OperationKind::kResurrect;
      op.label = node.label;
      op.node = graph::NodeId{id};
      commit(op);
      node.state = graph::NodeState::kLive;
      live_[node.label] = id;
      return true;
    }
    return false;
  }
  void free_tombstones(std::size_t most) {
    std::vector<graph::NodeId> nodes;
    for (const auto& [id, node] : table) {
      if (node.state == graph::NodeState::kTombstone && nodes.size() < most) {
        nodes.push_back(graph::NodeId{id});
      }
    }
    if (nodes.empty()) return;
    Operation op;
    op.kind = OperationKind::kFree;
    op.nodes = nodes;
    commit(op);
    for (const graph::NodeId node : nodes) {
      table.erase(graph::raw(node));
      free_.insert(graph::raw(node));
      changed_.erase(graph::raw(node));
    }
  }
  void erase_batch(std::size_t most) {
    std::vector<graph::NodeId> nodes;
    std::vector<Label> labels;
    for (const auto& [label, id] : live_) {
      if (nodes.size() == most) break;
      labels.push_back(label);
      nodes.push_back(graph::NodeId{id});
    }
    Operation op;
    op.kind = OperationKind::kEraseBatch;
    op.nodes = nodes;
    op.labels = labels;
    commit(op);
    for (const graph::NodeId node : nodes) bury(node);
  }
  /// False when the store refused; nothing is changed then.
  bool batch(Label first, std::size_t count, bool expect_ok = true) {
    std::vector<graph::NodeId> nodes, replaced;
    std::vector<Label> labels;
    std::vector<graph::Level> levels;
    std::vector<std::vector<float>> rows;
    ++generation_;
    for (std::size_t i = 0; i < count; ++i) {
      labels.push_back(first + i);
      nodes.push_back(graph::NodeId{take_slot()});
      replaced.push_back(live_node(first + i));
      levels.push_back(random_() % 4);
      rows.push_back(make_row(first + i, generation_, dimension_));
    }
    Batch b{nodes, labels, levels, replaced, [&](std::size_t i) { return bytes_of(rows[i]); },
            {},    {}};
    const Result<Sequence> sequence = records_->append_batch(b);
    if (!sequence.ok()) {
      EXPECT_FALSE(expect_ok) << sequence.status().to_string();
      for (const graph::NodeId node : nodes) free_.insert(graph::raw(node));
      return false;
    }
    records_->finish(*sequence);
    for (std::size_t i = 0; i < count; ++i) {
      place(graph::raw(nodes[i]), labels[i], levels[i], replaced[i], rows[i]);
    }
    return true;
  }
  Result<CheckpointReport> checkpoint() { return records_->checkpoint(*this, {}); }

  // -- CheckpointSource
  std::vector<graph::NodeId> take_changed_nodes() override {
    std::vector<graph::NodeId> nodes;
    for (const std::uint32_t id : changed_) nodes.push_back(graph::NodeId{id});
    changed_.clear();
    return nodes;
  }
  graph::NodeLinks links(graph::NodeId node) override {
    const auto found = table.find(graph::raw(node));
    if (found == table.end()) return {};
    graph::NodeLinks result;
    for (graph::Level level = 0; level <= found->second.level; ++level) {
      graph::LevelLinks links;
      const auto count = static_cast<std::uint32_t>((found->second.label + level) % 9);
      for (std::uint32_t i = 0; i < count; ++i) {
        links.ids.push_back(graph::NodeId{(graph::raw(node) + i * 7) % next_});
      }
      links.child_count = count / 2;
      if (count != 0) links.parent = links.ids[0];
      result.push_back(links);
    }
    return result;
  }
  bool settled() override { return changed_.empty(); }
  graph::EntryPoint entry_point() override {
    if (table.empty()) return {};
    return {graph::NodeId{table.begin()->first}, table.begin()->second.level};
  }
  void give_back_changed_nodes(std::span<const graph::NodeId> nodes) override {
    for (const graph::NodeId node : nodes) changed_.insert(graph::raw(node));
  }

  std::map<std::uint32_t, Node> table;
  const std::map<Label, std::uint32_t>& live() const { return live_; }

 private:
  std::uint32_t take_slot() {
    if (free_.empty()) return next_++;
    auto it = free_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_() % free_.size()));
    return free_.extract(it).value();
  }
  graph::NodeId live_node(Label label) const {
    const auto found = live_.find(label);
    return found == live_.end() ? graph::kNoNode : graph::NodeId{found->second};
  }
  void bury(graph::NodeId node) {
    Node& dead = table.at(graph::raw(node));
    dead.state = graph::NodeState::kTombstone;
    live_.erase(dead.label);
  }
  void place(std::uint32_t id, Label label, graph::Level level, graph::NodeId replaced,
             const std::vector<float>& row) {
    if (replaced != graph::kNoNode) bury(replaced);
    table[id] = {label, level, graph::NodeState::kLive, row};
    live_[label] = id;
    changed_.insert(id);
  }
  void commit(const Operation& op) {
    const Result<Sequence> sequence = records_->append(op);
    ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
    records_->finish(*sequence);
  }

  IndexRecords* records_;
  std::uint32_t dimension_;
  std::mt19937_64 random_;
  std::uint64_t generation_ = 0;
  std::uint32_t next_ = 0;
  std::set<std::uint32_t> free_;
  std::set<std::uint32_t> changed_;
  std::map<Label, std::uint32_t> live_;
};

}  // namespace vicinal::persist::test
