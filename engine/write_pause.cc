#include "engine/write_pause.h"

#include <fmt/format.h>
#include <pthread.h>

#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/callback.h"
#include "persist/checksum.h"

namespace vicinal::engine {

Result<std::unique_ptr<WritePause>> WritePause::begin(std::shared_ptr<const void> index,
                                                      const IndexState& state) {
  if (CallbackScope::active() || graph::Moment::thread_is_inside()) {
    return Status::busy(fmt::format(
        "writes to index \"{}\" are not paused in a callback: its call may be one of them",
        state.name));
  }
  // What is chosen once in a process is chosen here, not in a child.
  static_cast<void>(persist::checksum(0, {}));
  return std::unique_ptr<WritePause>(new WritePause(std::move(index), state));
}

WritePause::WritePause(std::shared_ptr<const void> index, const IndexState& state)
    : index_(std::move(index)),
      state_(state),
      closed_(*state.graph),
      room_(state.options, state.graph->node_limit()) {}

/// All that there are, for who forks.
struct WritePause::All {
  internal::Mutex mutex;
  std::vector<Closed*> pauses VICINAL_GUARDED_BY(mutex);

  static All& here() {
    static All* const all = [] {
      auto* const made = new All;  // outlives every static index
      static_cast<void>(::pthread_atfork(before_fork, in_parent, in_child));
      return made;
    }();
    return *all;
  }

 private:
  // Locked before the fork, given back on both sides of it.
  static void before_fork() VICINAL_NO_THREAD_SAFETY_ANALYSIS { here().mutex.lock(); }
  static void in_parent() VICINAL_NO_THREAD_SAFETY_ANALYSIS { here().mutex.unlock(); }
  static void in_child() VICINAL_NO_THREAD_SAFETY_ANALYSIS {
    for (const Closed* pause : here().pauses) pause->graph_.begin_anew();
    here().mutex.unlock();
  }
};

WritePause::Closed::Closed(graph::Graph& graph) : graph_(graph) {
  All& all = All::here();
  {
    const internal::MutexLock lock(all.mutex);
    all.pauses.push_back(this);
  }
  try {
    graph_.write_gate().close();
  } catch (...) {
    forget();
    throw;
  }
}

WritePause::Closed::~Closed() {
  const auto finish = [](PutOff& what) { CallScope::finish_outside(what); };
  if (process_.left()) {
    graph_.write_gate().open_inherited(finish);
  } else {
    graph_.write_gate().open(closer_, finish);
  }
  forget();
}

void WritePause::Closed::forget() noexcept {
  All& all = All::here();
  const internal::MutexLock lock(all.mutex);
  std::erase(all.pauses, this);
}

Status WritePause::save(const ByteSink& sink) {
  if (!state_.graph->config().keep_vectors) {
    return Status::invalid_argument(
        fmt::format("the vectors of index \"{}\" are not in memory: save() reads them, a pause of "
                    "writes does not",
                    state_.name));
  }
  const CallbackScope scope(CallbackScope::Holds::kNothing);  // of the sink
  const graph::CopyView view(*state_.graph);
  return Saver(state_, view, nullptr, room_, sink).run();
}

}  // namespace vicinal::engine
