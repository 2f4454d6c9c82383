// upsert_batch: many vectors in one commit; what it does with them is batch_write.h.
#include <fmt/format.h>

#include "engine/base/allocator.h"
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
  if (checkpoints_ != nullptr) VICINAL_RETURN_IF_ERROR(checkpoints_->refusal());
  VICINAL_RETURN_IF_ERROR(check_shape(state_.options.dimension, labels.size(), vectors.size()));
  const std::size_t dimension = state_.options.dimension;
  const std::size_t room_bytes = state_.room_bytes();  // a row's, or 0
  internal::Vector<std::byte> room(labels.size() * room_bytes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = row_of(*state_.graph, vectors.subspan(i * dimension, dimension),
                            std::span(room).subspan(i * room_bytes, room_bytes));
    if (row) continue;
    return Status(row.status().code(),
                  fmt::format("row {} (label {}): {}", i, labels[i], row.status().message()));
  }
  BatchPlan plan;
  plan.stored = room.empty() ? std::as_bytes(vectors) : std::span<const std::byte>(room);
  plan.row_bytes = state_.row_bytes();
  plan.choose_winners(labels);

  Result<BatchResult> result = [&] {
    const LabelClaims::Held claims(state_.claims, plan.winner_labels);
    if (!claims) return Result<BatchResult>(state_.labels_taken());
    return BatchWrite(state_, maintenance_, plan, options).run();
  }();
  const std::uint64_t written = plan.fresh.size() + plan.resurrected.size();
  if (checkpoints_ != nullptr) {
    checkpoints_->add_unsaved(plan.fresh.size() * state_.row_bytes());
  }
  if (written > 0) maintenance_.after_writes(written);
  return result;
}

}  // namespace vicinal::engine
