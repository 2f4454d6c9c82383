#include "engine/claims.h"

#include <algorithm>

#include "engine/callback.h"

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
  try {
    while (held_ < labels_.size() && claims_.acquire(labels_[held_])) ++held_;
  } catch (...) {
    release();
    throw;
  }
  if (held_ < labels_.size()) release();
}

LabelClaims::Held::~Held() { release(); }

void LabelClaims::Held::release() {
  for (; held_ > 0; --held_) claims_.release(labels_[held_ - 1]);
}

bool LabelClaims::acquire(Label label) {
  Shard& shard = shards_[shard_of(label)];
  const internal::MutexLock lock(shard.mutex);
  if (CallbackScope::holds_labels()) return shard.held.insert(label).second;
  ++shard.waiting;
  try {
    while (!shard.held.insert(label).second) shard.released.wait(shard.mutex);
  } catch (...) {
    --shard.waiting;
    throw;
  }
  --shard.waiting;
  return true;
}

void LabelClaims::release(Label label) {
  Shard& shard = shards_[shard_of(label)];
  const internal::MutexLock lock(shard.mutex);
  shard.held.erase(label);
  if (shard.waiting > 0) shard.released.notify_all();
}

}  // namespace vicinal::engine
