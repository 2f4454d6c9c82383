#include "engine/write_pause.h"

#include <fmt/format.h>

#include <utility>

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

WritePause::Closed::~Closed() {
  if (process_.left()) {
    graph_.begin_anew_in_child();
    return;
  }
  graph_.write_gate().open(closer_, [](PutOff& what) { CallScope::finish_outside(what); });
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
