// upsert_batch: many vectors in one commit; what it does with them is batch_write.h.
#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/batch_plan.h"
#include "engine/batch_write.h"
#include "engine/vector_check.h"
#include "engine/writer.h"

namespace vicinal::engine {

Result<BatchResult> Writer::upsert_batch(std::span<const Label> labels,
                                         std::span<const float> vectors,
                                         const BatchOptions& options) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  VICINAL_RETURN_IF_ERROR(checkpoints_.refusal());
  VICINAL_RETURN_IF_ERROR(check_shape(state_.options.dimension, labels.size(), vectors.size()));
  BatchPlan plan;
  plan.vectors = vectors;
  plan.dimension = state_.options.dimension;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Status status = check_vector(state_.graph->kernels(), state_.options.metric,
                                       state_.options.dimension, plan.row(i));
    if (!status.ok()) {
      return Status(status.code(),
                    fmt::format("row {} (label {}): {}", i, labels[i], status.message()));
    }
  }
  plan.choose_winners(labels);

  Result<BatchResult> result = [&] {
    const LabelClaims::Held claims(state_.claims, plan.winner_labels);
    if (!claims) return Result<BatchResult>(state_.labels_taken());
    return BatchWrite(state_, maintenance_, plan, options).run();
  }();
  const std::uint64_t written = plan.fresh.size() + plan.resurrected.size();
  checkpoints_.add_unsaved(plan.fresh.size() * state_.row_bytes());
  if (written > 0) maintenance_.after_writes(written);
  return result;
}

}  // namespace vicinal::engine
