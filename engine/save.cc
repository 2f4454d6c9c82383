// save: an index as bytes, as it is at one moment.
#include "engine/base/check.h"
#include "engine/callback.h"
#include "engine/reader.h"
#include "engine/saver.h"

namespace vicinal::engine {

Status Reader::save(const ByteSink& sink) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  const graph::Moment moment(*state_.graph);
  const graph::CopyView view(*state_.graph, moment);
  const std::unique_ptr<StoredRows> rows = state_.rows(StoredRows::Reading::kVerified);
  SaveRoom room(state_.options, view.limit());
  const CallbackScope scope(CallbackScope::Holds::kNothing);  // of the sink
  return Saver(state_, view, rows.get(), room, sink).run();
}

}  // namespace vicinal::engine
