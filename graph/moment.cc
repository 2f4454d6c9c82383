#include "graph/moment.h"

#include "engine/base/stays.h"
#include "engine/base/step_hook.h"
#include "graph/graph.h"
#include "graph/graph_state.h"

namespace vicinal::graph {
Moment::Moment(const Graph& graph) : graph_(graph), scratch_(graph.state().scratches.borrow()) {
  const GraphState& g = graph.state();
  // Both looks at the topology agree: what was shown by the number was linked in it, and what it
  // lacks, because a rebuild left it out, was hidden by the number. The entry point is one of after
  // the number, too: what was shown hangs together with it, and so does, as long as this lasts,
  // what is condemned later (G11).
  scratch_->flat = g.flat.load(std::memory_order_acquire);  // before the number: G14
  do {
    scratch_->topology = g.topology.load(std::memory_order_acquire);
    VICINAL_STEP_POINT("moment.topology");
    scratch_->number = g.visibility.number();
    VICINAL_STEP_POINT("moment.number");
    scratch_->entry = scratch_->topology->entry_point();
  } while (g.topology.load(std::memory_order_acquire) != scratch_->topology);
  scratch_->unsettled = false;
  ++internal::Stays::of_thread().moments;
}

Moment::~Moment() {
  const GraphState& g = graph_.state();
  const bool unsettled = scratch_->unsettled;
  ScratchPool::give_back(scratch_);
  --internal::Stays::of_thread().moments;
  if (unsettled) g.visibility.settle();
}

bool Moment::counts(NodeId node) const {
  return graph_.state().visibility.counts(node, scratch_->number, scratch_->unsettled);
}

NodeId Moment::stood(NodeId now) const {
  return graph_.state().visibility.stood(now, scratch_->number);
}

bool Moment::thread_is_inside() { return internal::Stays::of_thread().moments > 0; }

}  // namespace vicinal::graph
