// What the persist tests share: a folder that goes away, rows computable from label and generation,
// and MemoryIndex, a stand-in for the engine that knows what a store must hold.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "persist/lmdb_env.h"
#include "persist/store_file.h"

namespace vicinal::persist::test {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "vicinal-persist-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// An environment with one database.
struct Journal {
  explicit Journal(const std::string& path, Durability durability) {
    EXPECT_TRUE(std::filesystem::create_directory(path));
    EnvironmentOptions options;
    options.durability = durability;
    auto opened = Environment::open(path, options);
    EXPECT_TRUE(opened.ok()) << opened.status().to_string();
    environment = std::move(*opened);
    const Status status = environment->with_handles([&](Transaction& transaction) -> Status {
      auto handle = transaction.open_database("j", true);
      if (handle.ok()) journal = *handle;
      return handle.status();
    });
    EXPECT_TRUE(status.ok()) << status.to_string();
  }

  std::unique_ptr<Environment> environment;
  DatabaseHandle journal = 0;
};

inline std::vector<float> make_row(Label label, std::uint64_t generation, std::uint32_t dimension) {
  std::vector<float> row(dimension);
  std::uint64_t x = label * 0x9E3779B97F4A7C15ull + generation * 0xD1B54A32D192ED03ull + 1;
  for (float& f : row) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    f = static_cast<float>(x >> 40) * 0x1p-20f;
  }
  return row;
}

inline StoredOptions options_of(std::uint32_t dimension) {
  StoredOptions options;
  options.dimension = dimension;
  return options;
}

struct Node {
  Label label = 0;
  graph::Level level = 0;
  graph::NodeState state = graph::NodeState::kLive;
  std::vector<float> row;

  friend bool operator==(const Node&, const Node&) = default;
};

/// Holds what load() delivers, and fails on what the contract excludes.
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
      EXPECT_EQ(n.row == nullptr, !with_rows);
      if (n.row != nullptr && dimension_ % 16 == 0) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(n.row) % 64, 0u);
      }
      std::vector<float> row;
      if (n.row != nullptr) row.assign(n.row, n.row + dimension_);
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
        EXPECT_EQ(op.row.size(), dimension_);
        if (op.replaced != graph::kNoNode) {
          EXPECT_TRUE(table.contains(graph::raw(op.replaced)));
          table[graph::raw(op.replaced)].state = graph::NodeState::kTombstone;
        }
        table[id] = {op.label, op.level, graph::NodeState::kLive, {op.row.begin(), op.row.end()}};
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
  bool with_rows = true;  ///< as LoadOptions::rows

 private:
  std::uint32_t dimension_;
  std::mutex mutex_;
};

/// LoadOptions::parallel with threads of its own.
inline void on_three_threads(std::size_t count, const std::function<void(std::size_t)>& body) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) body(i);
  };
  std::thread second(work);
  std::thread third(work);
  work();
  second.join();
  third.join();
}

/// Plays the engine: hands out slots, keeps the truth, reports changed links.
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
    op.row = row;
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
    Batch b{nodes, labels, levels, replaced, [&](std::size_t i) { return rows[i].data(); }, {}, {}};
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

inline std::unique_ptr<StoreFile> open_store(const std::string& path, StoreOptions options = {}) {
  Result<std::unique_ptr<StoreFile>> store = StoreFile::open(path, options);
  EXPECT_TRUE(store.ok()) << store.status().to_string();
  return store.ok() ? std::move(*store) : nullptr;
}
inline std::unique_ptr<IndexRecords> create(StoreFile& store, std::uint32_t dimension,
                                            const std::string& name = "text") {
  Result<std::unique_ptr<IndexRecords>> index = store.create_index(name, options_of(dimension));
  EXPECT_TRUE(index.ok()) << index.status().to_string();
  return index.ok() ? std::move(*index) : nullptr;
}
inline std::unique_ptr<IndexRecords> reopen(StoreFile& store, const std::string& name = "text") {
  Result<std::unique_ptr<IndexRecords>> index = store.open_index(name);
  EXPECT_TRUE(index.ok()) << index.status().to_string();
  return index.ok() ? std::move(*index) : nullptr;
}
/// Closes `index`, opens it anew and loads it.
inline Status reload(StoreFile& store, std::unique_ptr<IndexRecords>& index, Loaded& loaded) {
  index.reset();
  index = reopen(store);
  return index->load(loaded, {}).status();
}
inline StoreOptions fast() {
  StoreOptions options;
  options.durability = Durability::kNone;
  return options;
}

}  // namespace vicinal::persist::test
