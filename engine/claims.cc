#include "engine/claims.h"

#include <algorithm>

namespace vicinal::engine {
namespace {

std::vector<Label> ascending(std::vector<Label> labels) {
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

}  // namespace

LabelClaims::Held::Held(LabelClaims& claims, std::vector<Label> labels)
    : claims_(claims), labels_(ascending(std::move(labels))) {
  for (const Label label : labels_) claims_.acquire(label);
}

LabelClaims::Held::~Held() {
  for (const Label label : labels_) claims_.release(label);
}

void LabelClaims::acquire(Label label) {
  Shard& shard = shards_[shard_of(label)];
  std::unique_lock lock(shard.mutex);
  ++shard.waiting;
  while (!shard.held.insert(label).second) shard.released.wait(lock);
  --shard.waiting;
}

void LabelClaims::release(Label label) {
  Shard& shard = shards_[shard_of(label)];
  const std::lock_guard lock(shard.mutex);
  shard.held.erase(label);
  if (shard.waiting > 0) shard.released.notify_all();
}

}  // namespace vicinal::engine
