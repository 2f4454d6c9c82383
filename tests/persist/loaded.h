// Loaded: holds what load() delivers, and fails on what the contract excludes.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "persist/loading.h"
#include "persist/store_file.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {

/// A float32 row's components.
inline std::vector<float> floats_of(std::span<const std::byte> row) {
  std::vector<float> floats(row.size() / sizeof(float));
  std::memcpy(floats.data(), row.data(), row.size());
  return floats;
}

struct Node {
  Label label = 0;
  graph::Level level = 0;
  graph::NodeState state = graph::NodeState::kLive;
  std::vector<float> row;

  friend bool operator==(const Node&, const Node&) = default;
};

class Loaded final : public LoadVisitor {
 public:
  explicit Loaded(std::uint32_t dimension) : dimension_(dimension) {}

  Status begin(std::uint64_t limit, graph::EntryPoint entry) override {
    node_limit = limit;
    entry_point = entry;
    return {};
  }
  Status place(std::span<const LoadedNode> run) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(run.empty());
    for (std::size_t i = 0; i < run.size(); ++i) {
      const LoadedNode& n = run[i];
      EXPECT_TRUE(n.state == graph::NodeState::kLive || n.state == graph::NodeState::kTombstone);
      EXPECT_LT(graph::raw(n.node), node_limit);
      EXPECT_TRUE(i == 0 || run[i - 1].node < n.node) << "ascending";
      EXPECT_FALSE(table.contains(graph::raw(n.node)));
      EXPECT_NE(n.row, nullptr);
      if (n.row != nullptr && dimension_ % 16 == 0) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(n.row) % 64, 0u);
      }
      std::vector<float> row;
      if (n.row != nullptr) row = floats_of({n.row, dimension_ * sizeof(float)});
      table[graph::raw(n.node)] = {n.label, n.level, n.state, row};
    }
    return {};
  }
  Status links(std::span<const graph::StoredLinks> nodes) override {
    const std::lock_guard lock(mutex_);
    for (const graph::StoredLinks& n : nodes) {
      EXPECT_TRUE(table.contains(graph::raw(n.node)));
      EXPECT_FALSE(all_links.contains(graph::raw(n.node)));
      graph::NodeLinks& links = all_links[graph::raw(n.node)];
      for (const graph::LevelLinksView& l : n.levels) {
        links.push_back({l.parent, l.child_count, {l.ids.begin(), l.ids.end()}});
      }
    }
    return {};
  }
  Status replay(Sequence sequence, const Operation& op) override {
    EXPECT_GE(sequence, last_sequence) << "R3";
    last_sequence = sequence;
    ++replayed;
    const std::uint32_t id = graph::raw(op.node);
    EXPECT_LT(id, node_limit);
    switch (op.kind) {
      case OperationKind::kUpsert:
        EXPECT_EQ(op.row.size(), dimension_ * sizeof(float));
        (op.row_in_chunk ? rows_in_chunks : rows_in_journal) += 1;
        if (op.replaced != graph::kNoNode) {
          EXPECT_TRUE(table.contains(graph::raw(op.replaced)));
          table[graph::raw(op.replaced)].state = graph::NodeState::kTombstone;
        }
        table[id] = {op.label, op.level, graph::NodeState::kLive, floats_of(op.row)};
        break;
      case OperationKind::kErase:
      case OperationKind::kResurrect:
        EXPECT_TRUE(table.contains(id));
        table[id].state = op.kind == OperationKind::kErase ? graph::NodeState::kTombstone
                                                           : graph::NodeState::kLive;
        break;
      default:
        ADD_FAILURE() << "never replayed: " << static_cast<int>(op.kind);
    }
    return {};
  }

  /// label -> row of every live node; a label that is live twice fails.
  std::map<Label, std::vector<float>> live() const {
    std::map<Label, std::vector<float>> rows;
    for (const auto& [id, node] : table) {
      if (node.state != graph::NodeState::kLive) continue;
      EXPECT_TRUE(rows.emplace(node.label, node.row).second) << "live twice: " << node.label;
    }
    return rows;
  }

  std::uint64_t node_limit = 0;
  graph::EntryPoint entry_point;
  std::map<std::uint32_t, Node> table;
  std::map<std::uint32_t, graph::NodeLinks> all_links;
  Sequence last_sequence = 0;
  std::uint64_t replayed = 0;
  std::uint64_t rows_in_journal = 0;  ///< of those
  std::uint64_t rows_in_chunks = 0;

 private:
  std::uint32_t dimension_;
  std::mutex mutex_;
};

/// Closes `index`, opens it anew and loads it.
inline Status reload(StoreFile& store, std::unique_ptr<IndexRecords>& index, Loaded& loaded) {
  index.reset();
  index = reopen(store);
  return index->load(loaded, {}).status();
}

}  // namespace vicinal::persist::test
