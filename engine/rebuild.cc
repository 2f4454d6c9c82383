// rebuild: what services did before, kept for comparison, recovery and after heavy churn.
#include <chrono>
#include <thread>

#include "engine/base/check.h"
#include "engine/base/step_hook.h"
#include "engine/maintenance.h"
#include "persist/failpoints.h"

namespace vicinal::engine {

Status Maintenance::rebuild(const BatchOptions& options) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  const Turn::Taken alone(rebuilding_, false);
  if (!alone) return Status::busy("another rebuild of this index runs");
  VICINAL_RETURN_IF_ERROR(
      rebuild_graph(state_.threads_or(options.threads), options.progress, true, {}));
  // What the rebuild left out may still count for searches that began before it.
  while (!state_.graph->reclaim_topologies() && !graph::Moment::thread_is_inside()) {
    VICINAL_STEP_POINT("wait.readers");
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  const Result<std::uint64_t> freed = freeing_.free_unlinked();
  return freed ? Status() : freed.status();
}

Status Maintenance::rebuild_graph(unsigned threads, const ProgressCallback& progress, bool wait,
                                  std::span<const graph::NodeId> also) {
  Reporter reporter(progress, "rebuild",
                    also.empty() ? CallbackScope::Holds::kNothing : CallbackScope::Holds::kLabels);
  const Turn::Taken turn(turn_, wait && !CallbackScope::active());
  if (!turn) return refused();
  VICINAL_RETURN_IF_ERROR(state_.graph->rebuild(
      threads, [&](std::uint64_t done, std::uint64_t total) { return reporter(done, total); },
      also));
  persist::failpoints::pass("rebuild.swapped");
  reporter.finish();
  return {};
}

}  // namespace vicinal::engine
