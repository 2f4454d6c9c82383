// Builds by eight threads at once: afterwards every label finds itself.
//
// The number of builds is VICINAL_CONTENDED_BUILDS (tools/contention_test sets it), by default
// fifty, and a few under sanitizers, which are ten times as slow.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kNodes = 3000;
constexpr std::size_t kContendedDimension = 16;
constexpr unsigned kThreads = 8;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kUsualBuilds = 5;
#else
constexpr int kUsualBuilds = 50;
#endif

int builds() {
  const char* wanted = std::getenv("VICINAL_CONTENDED_BUILDS");
  return wanted != nullptr ? std::max(std::atoi(wanted), 1) : kUsualBuilds;
}

// Every second thread plans its links first, and lets the others go on before it follows the plan.
std::unique_ptr<Graph> contended_build(const Rows& rows, std::uint64_t seed) {
  Config config;
  config.dimension = kContendedDimension;
  config.seed = seed;
  config.ef_construction = 100;
  auto g = make_graph(config);
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, plans = t % 2 == 0] {
      for (std::size_t i = next.fetch_add(1); i < rows.size(); i = next.fetch_add(1)) {
        const NodeId node = add(*g, i, rows.row(i));
        const auto plan = plans ? g->plan_link(node) : nullptr;
        if (plans) std::this_thread::yield();
        g->link(node, plan);
        g->show(node);
      }
    });
  }
  return g;
}

TEST(Contended, EveryLabelFindsItselfAfterEveryBuild) {
  for (int build = 1; build <= builds(); ++build) {
    const Rows rows = clustered(kNodes, kContendedDimension, static_cast<std::uint64_t>(build));
    const auto g = contended_build(rows, static_cast<std::uint64_t>(build));
    const ValidateReport report = validated(*g);
    ASSERT_TRUE(report.sound()) << "build " << build << ": " << words(report);
    ASSERT_EQ(report.live, kNodes);
    for (std::size_t i = 0; i < kNodes; ++i) {
      const Answer a = search(*g, rows.row(i), 1, 64);
      ASSERT_EQ(a.found.size(), 1u) << "build " << build << " label " << i;
      ASSERT_LE(a.found[0].distance, 1e-6f) << "build " << build << " label " << i;
      ASSERT_EQ(a.found[0].label, i) << "build " << build;
    }
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
