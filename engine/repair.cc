// repair: tombstones are unlinked in bounded slices; their slots come back, in memory and on disk.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/base/check.h"
#include "engine/maintenance.h"
#include "persist/failpoints.h"

namespace vicinal::engine {
namespace {

constexpr std::uint64_t kSlice = 256;  // nodes examined per slice: well under a millisecond each
// A pass examines two to four times as many nodes as there are. At 32 for each write it is over before
// a tenth of the index has been written anew; at 8 more was written meanwhile than the pass had
// freed, and tombstones grew without end (5,000 rows, upserts only: 45 % of all nodes after the
// fourth round, 60 % with batches, where repair_share says 20).
constexpr std::uint64_t kWritesPerSlice = 8;
constexpr std::uint64_t kMostSlicesOfStep = 64;
// Writers of a store repair, too, once tombstones have this share of all nodes: its thread has one
// core, and writers on many could outrun it without end.
constexpr double kOutrun = 0.75;
// Between looks whether the readers have left that a pass waits for.
constexpr std::chrono::microseconds kBetweenLooks{200};

void add(RepairResult& total, const RepairResult& slice) {
  total.nodes_examined += slice.nodes_examined;
  total.nodes_relinked += slice.nodes_relinked;
  total.slots_freed += slice.slots_freed;
  total.finished = slice.finished;
  total.waiting = slice.waiting;
}

Status wait_for_readers() {
  if (graph::Moment::thread_is_inside()) {
    return Status::busy("repair waits for the search whose filter called it");
  }
  std::this_thread::sleep_for(kBetweenLooks);
  return {};
}

}  // namespace

Result<RepairResult> Maintenance::repair(const RepairOptions& options) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  Reporter reporter(options.progress, "repair");
  RepairResult total;
  // A pass that was begun before does not see all tombstones of this moment: after it comes another.
  bool once_more = options.slice == 0 && pass_open_.load();
  do {
    const std::uint64_t left =
        options.slice == 0 ? kSlice : std::min(kSlice, options.slice - total.nodes_examined);
    const Result<RepairResult> slice = repair_slice(left, true, reporter);
    if (!slice) return slice.status();
    add(total, *slice);
    if (total.finished && std::exchange(once_more, false)) {
      total.finished = false;
      continue;
    }
    if (total.waiting && options.slice == 0) VICINAL_RETURN_IF_ERROR(wait_for_readers());
    // Asked here, too, while it waits; the graph goes over its nodes twice.
    if (!reporter(0, 2 * state_.graph->node_limit())) {
      return Status::cancelled("repair cancelled after " + std::to_string(total.nodes_examined) +
                               " nodes; call it again to go on");
    }
    if (slice->nodes_examined == 0 && !(total.waiting && options.slice == 0)) break;
  } while (!total.finished && (options.slice == 0 || total.nodes_examined < options.slice));
  if (total.finished) reporter.finish();
  if (options.slice == 0 && total.finished) {
    VICINAL_RETURN_IF_ERROR(mend_unreachable(options.progress, total));
  }
  return total;
}

Status Maintenance::mend_unreachable(const ProgressCallback& progress, RepairResult& total) {
  {
    const Turn::Taken turn(turn_, !CallbackScope::active());
    if (!turn) return refused();
    total.unreachable_mended = state_.graph->loose_nodes();
  }
  if (total.unreachable_mended == 0) return {};
  VICINAL_RETURN_IF_ERROR(rebuild_graph(state_.threads_or(0), progress, true, {}));
  return freeing_.free_unlinked().status();
}

Status Maintenance::refused() const {
  return Status::busy(
      fmt::format("index \"{}\" is being repaired or rebuilt, for which a callback must not wait",
                  state_.name));
}

Result<RepairResult> Maintenance::repair_slice(std::uint64_t slice, bool wait, Reporter& reporter) {
  RepairResult result;
  {
    const Turn::Taken turn(turn_, wait && !CallbackScope::active());
    if (!turn) return wait ? Result<RepairResult>(refused()) : result;
    result = state_.graph->repair(
        slice, [&](std::uint64_t done, std::uint64_t total) { return reporter(done, total); });
  }
  persist::failpoints::pass("repair.unlinked");
  pass_open_.store(!result.finished);
  state_.graph->link_backlog(slice);
  // E9: the turn is free here, where labels are claimed.
  const Result<std::uint64_t> freed = freeing_.free_unlinked();
  if (!freed) return freed.status();
  result.slots_freed = *freed;
  return result;
}

double Maintenance::tombstone_share() const {
  const std::uint64_t dead = state_.graph->tombstones();
  if (dead == 0) return 0;
  return static_cast<double>(dead) / static_cast<double>(dead + state_.graph->live());
}

bool Maintenance::repair_due() const {
  if (state_.options.repair_share <= 0) return false;
  // The last phase of a pass has no tombstones left.
  return pass_open_.load() || tombstone_share() > state_.options.repair_share;
}

bool Maintenance::writers_repair() const {
  if (!state_.durable) return true;
  return state_.options.repair_share > 0 && state_.file->options().background &&
         tombstone_share() > std::max(state_.options.repair_share, kOutrun);
}

void Maintenance::after_writes(std::uint64_t count) noexcept {
  constexpr std::uint64_t kAtOnce = 32;  // a millisecond; of a flat index that has grown, 500 wait
  state_.graph->link_backlog(std::max(kAtOnce, count));
  if (on_write_ != nullptr && *on_write_) (*on_write_)();
  const std::uint64_t writes = writes_since_slice_.fetch_add(count) + count;
  if (writes < kWritesPerSlice || !writers_repair()) return;
  const std::uint64_t slices = slices_due();
  try {
    Reporter silent({}, "repair");
    // A callback of a batch may be refused labels: what it could not free is freed by the next
    // slice. What fails in a store fails again on its thread, which tells.
    if (slices > 0) static_cast<void>(repair_slice(slices * kSlice, false, silent));
  } catch (const std::bad_alloc&) {
    // The write is done; the pass goes on another time.
  }
}

std::uint64_t Maintenance::slices_due() {
  const std::uint64_t writes = writes_since_slice_.exchange(0);
  return repair_due() ? std::max<std::uint64_t>(writes / kWritesPerSlice, 1) : 0;
}

Result<Due> Maintenance::step() {
  std::uint64_t slices = std::min(slices_due(), kMostSlicesOfStep);
  if (slices == 0) return Due::kNothing;
  Reporter silent({}, "repair");
  Result<RepairResult> slice = repair_slice(kSlice, false, silent);
  while (--slices > 0 && slice && !slice->finished && !slice->waiting) {
    slice = repair_slice(kSlice, false, silent);
  }
  if (!slice) return slice.status();
  const bool more =
      (!slice->finished || repair_due()) && (slice->nodes_examined > 0 || slice->waiting);
  return more ? Due::kMore : Due::kNothing;
}

}  // namespace vicinal::engine
