// Everything at once. Vectors can be computed from (label, generation), so a torn read, a slot
// reused too early or a label seen twice shows. Meant for the thread sanitizer.
//
// VICINAL_STRESS_SECONDS sets how long it runs; a watchdog aborts when it hangs.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kStressDimension = 12;
constexpr Label kLabels = 600;

// Component 0 names the label, component 1 the generation; the rest follows from both.
std::vector<float> vector_of(Label label, std::uint32_t generation) {
  std::mt19937 random(static_cast<std::uint32_t>(label * 1000 + generation));
  std::vector<float> v(kStressDimension);
  v[0] = static_cast<float>(label % 64);
  v[1] = static_cast<float>(generation % 64);
  for (std::size_t d = 2; d < kStressDimension; ++d)
    v[d] = static_cast<float>(random() % 1000) / 100.0f;
  return v;
}

class Watchdog {
 public:
  Watchdog() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(120);
      while (!stop.stop_requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (std::chrono::steady_clock::now() < end) continue;
        std::fprintf(stderr, "watchdog: the stress test hangs\n");
        std::abort();
      }
    });
  }

 private:
  std::jthread thread_;
};

class Stress {
 public:
  Stress() {
    Config config;
    config.dimension = kStressDimension;
    config.M = 6;
    config.ef_construction = 30;
    config.metric = Metric::kSquaredL2;
    graph_ = make_graph(config);
    for (Label l = 0; l < kLabels; ++l) update(l);
  }

  void run() {
    const char* wanted = std::getenv("VICINAL_STRESS_SECONDS");
    const auto length = std::chrono::milliseconds(wanted ? std::atoi(wanted) * 1000 : 4000);
    std::vector<std::jthread> threads;
    for (std::uint32_t t = 0; t < 2; ++t) start(threads, [this, t] { write(t); });
    for (std::uint32_t t = 0; t < 2; ++t) start(threads, [this, t] { read(t); });
    start(threads, [this] { read_radius_and_links(); });
    start(threads, [this] { maintain(); });
    start(threads, [this] { look(); });
    start(threads, [this] { batch(); });
    std::this_thread::sleep_for(length);
    stop_ = true;
    threads.clear();
  }

  void check_afterwards() {
    repair_and_recycle(*graph_);
    repair_and_recycle(*graph_);
    const ValidateReport report = validated(*graph_);
    EXPECT_TRUE(report.sound()) << words(report);
    EXPECT_EQ(report.dead_links, 0u);
    EXPECT_EQ(graph_->tombstones(), 0u);
    std::size_t live = 0;
    std::size_t missed = 0;
    for (Label l = 0; l < 2 * kLabels; ++l) {
      if (!owners_[l].live) continue;
      ++live;
      const std::vector<float> v = vector_of(l, owners_[l].generation);
      missed += search(*graph_, v.data(), 1, 200).found.at(0).label == l ? 0 : 1;
      const Answer a = search(*graph_, v.data(), 1, 600);
      ASSERT_EQ(a.found.size(), 1u);
      EXPECT_EQ(a.found[0].label, l);
      EXPECT_EQ(a.found[0].distance, 0.0f);
    }
    EXPECT_LE(missed, 2u) << "a walk is approximate, but not by much";
    EXPECT_EQ(graph_->live(), live);
    EXPECT_EQ(wrong_.load(), 0u);
    EXPECT_GT(rounds_.load(), 10u);
  }

 private:
  struct Owner {  // one writer thread each, except as the engine's label stripes would order it
    std::mutex mutex;
    NodeId node = kNoNode;
    std::uint32_t generation = 0;
    bool live = false;
  };

  template <typename Work>
  void start(std::vector<std::jthread>& threads, Work work) {
    threads.emplace_back([this, work] {
      while (!stop_.load()) {
        work();
        rounds_.fetch_add(1);
      }
    });
  }

  void update(Label label) {
    Owner& o = owners_[label];
    const std::lock_guard lock(o.mutex);
    const std::vector<float> v = vector_of(label, o.generation + 1);
    const NodeId fresh = add(*graph_, label, v.data(), o.node);
    graph_->link(fresh);
    graph_->show(fresh);
    o.node = fresh;
    ++o.generation;
    o.live = true;
  }

  void erase_or_resurrect(Label label) {
    Owner& o = owners_[label];
    const std::lock_guard lock(o.mutex);
    if (o.live) {
      if (!graph_->erase(o.node)) wrong_.fetch_add(1);
      o.live = false;
      erased_.fetch_add(1);
    } else if (o.node != kNoNode) {
      // What was condemned or freed meanwhile belongs to nobody: the engine's label map forgets it
      // when it takes unlinked nodes, which is what the lock of maintain() stands for.
      o.live = graph_->resurrect(o.node);
      if (!o.live) o.node = kNoNode;
    }
  }

  void write(std::uint32_t thread) {
    thread_local std::mt19937 random(thread + 1);
    const Label label = random() % kLabels;
    if (random() % 3 != 0) {
      update(label);
    } else {
      erase_or_resurrect(label);
    }
  }

  void check(const Found& f, const float* query) {
    if (f.label >= 2 * kLabels) wrong_.fetch_add(1);
    const float* v = testing::vector_of(*graph_, f.node);  // inside the caller's Moment
    const auto generation_hint = static_cast<std::uint32_t>(v[1]);
    if (v[0] != static_cast<float>(f.label % 64) || generation_hint >= 64) wrong_.fetch_add(1);
    if (graph_->distance(query, v) != f.distance) wrong_.fetch_add(1);
  }

  void read(std::uint32_t thread) {
    thread_local std::mt19937 random(thread + 100);
    const Label label = random() % kLabels;
    const std::vector<float> query = vector_of(label, random() % 20);
    const Moment moment(*graph_);
    const bool exact = random() % 8 == 0;
    const Answer a =
        exact ? scan(*graph_, query.data(), 20) : search(*graph_, query.data(), 20, 40);
    std::set<Label> labels;
    for (const Found& f : a.found) {
      if (!labels.insert(f.label).second) wrong_.fetch_add(1);
      check(f, query.data());
    }
    for (std::size_t i = 1; i < a.found.size(); ++i) {
      if (a.found[i].distance < a.found[i - 1].distance) wrong_.fetch_add(1);
    }
  }

  void read_radius_and_links() {
    thread_local std::mt19937 random(7);
    const std::vector<float> query = vector_of(random() % kLabels, 3);
    const std::function<bool(Label)> accept = [](Label l) { return l % 3 == 0; };
    SearchRequest request;
    request.query = query.data();
    request.accept = &accept;
    SearchCounters counters;
    for (const Found& f : graph_->search_radius(Moment(*graph_), request, 60, counters)) {
      if (f.label % 3 != 0) wrong_.fetch_add(1);
    }
    if (random() % 16 != 0) return;
    for (const NodeId node : graph_->take_changed_nodes()) {
      const Moment moment(*graph_);
      if (graph_->state(node) == NodeState::kFree) continue;
      for (const LevelLinks& l : graph_->links(node)) {
        if (l.ids.size() > 12 || l.child_count > l.ids.size()) wrong_.fetch_add(1);
      }
    }
  }

  void maintain() {
    thread_local std::mt19937 random(5);
    if (random() % 40 == 0) {
      const Status s = graph_->rebuild(2, {});
      if (!s.ok()) wrong_.fetch_add(1);
    } else {
      graph_->repair(random() % 50 == 0 ? 0 : 100, {});
    }
    // Before a slot is free, nobody may remember its node.
    const std::vector<NodeId> nodes = graph_->take_unlinked(64);
    for (const NodeId node : nodes) {
      Owner& o = owners_[graph_->label(node)];
      const std::lock_guard lock(o.mutex);
      if (!o.live && o.node == node) o.node = kNoNode;
      if (o.live && o.node == node) wrong_.fetch_add(1);
    }
    graph_->recycle(nodes);
  }

  void look() {
    ValidateReport report;
    if (!graph_->validate(report, 3, {}).ok()) wrong_.fetch_add(1);
    // Half-linked nodes are no problem of the graph: beside writers nothing may be reported either.
    EXPECT_TRUE(report.sound()) << words(report);
    graph_->stats();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

  void batch() {
    thread_local Label next = kLabels;
    constexpr Label kBatch = 32;
    // Ascending within a batch: a batch that went round to the first label would be a lock order of
    // its own.
    if (next + kBatch > 2 * kLabels) next = kLabels;
    std::vector<NodeId> nodes;
    std::vector<std::unique_lock<std::mutex>> locks;
    for (const Label end = next + kBatch; next < end; ++next) {
      const Label label = next;
      Owner& o = owners_[label];
      locks.emplace_back(o.mutex);
      const std::vector<float> v = vector_of(label, ++o.generation);
      nodes.push_back(add(*graph_, label, v.data(), o.node));
      o.node = nodes.back();
      o.live = true;
    }
    graph_->link_batch(nodes, 2, {});
    graph_->show(nodes);
  }

  std::unique_ptr<Graph> graph_;
  std::array<Owner, 2 * kLabels> owners_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> wrong_{0};
  std::atomic<std::uint64_t> erased_{0};
  std::atomic<std::uint64_t> rounds_{0};
};

// G5 shows in the checks of what searches meet: a back-link to a node without its own lists would
// lead a walk into nothing.
TEST(Stress, EverythingAtOnce) {
  const Watchdog watchdog;
  Stress stress;
  stress.run();
  stress.check_afterwards();
}

}  // namespace
}  // namespace vicinal::graph::testing
