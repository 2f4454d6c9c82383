#include "tools/redis/info.h"

#include "tools/redis/settings.h"
#include "tools/redis/thread_pool.h"
#include "tools/redis/vector_set.h"

namespace vicinal::redis {

void write_info(ServerInfoContext* info, int for_crash_report) noexcept {
  api.InfoAddSection(info, "");
  if (for_crash_report != 0) {
    // What has crashed may hold the locks.
    api.InfoAddFieldULongLong(info, "arena_bytes", VectorSet::all_arena_bytes());
    return;
  }
  const auto large = static_cast<std::uint64_t>(settings.max_migrate_bytes.load());
  const VectorSet::Totals totals = VectorSet::totals(large);
  api.InfoAddFieldULongLong(info, "sets", totals.sets);
  api.InfoAddFieldULongLong(info, "elements", totals.elements);
  api.InfoAddFieldULongLong(info, "attributes", totals.attributes);
  api.InfoAddFieldULongLong(info, "arena_bytes", totals.arena_bytes);
  api.InfoAddFieldULongLong(info, "sets_too_large_to_migrate", totals.large_sets);
  ThreadPool::Load load = ThreadPool::searches().load();
  const ThreadPool::Load beside = ThreadPool::maintenance().load();
  load.threads += beside.threads;
  load.running += beside.running;
  load.waiting += beside.waiting;
  load.done += beside.done;
  api.InfoAddFieldULongLong(info, "threads", load.threads);
  api.InfoAddFieldULongLong(info, "tasks_running", load.running);
  api.InfoAddFieldULongLong(info, "tasks_waiting", load.waiting);
  api.InfoAddFieldULongLong(info, "tasks_done", load.done);
}

}  // namespace vicinal::redis
