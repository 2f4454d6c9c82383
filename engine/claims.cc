#include "engine/claims.h"

#include <tsl/robin_set.h>

#include <algorithm>
#include <array>

#include "engine/base/process.h"
#include "engine/base/step_hook.h"
#include "engine/callback.h"

namespace vicinal::engine {
namespace {

/// A label of an index.
struct Claim {
  const LabelClaims* index;
  Label label;

  friend bool operator==(const Claim&, const Claim&) = default;
};
std::uint64_t mix(const Claim& claim) {
  return mix_label(claim.label ^ mix_label(reinterpret_cast<std::uintptr_t>(claim.index)));
}
struct ClaimHash {
  std::size_t operator()(const Claim& claim) const { return mix(claim); }
};

struct alignas(64) Shard {
  internal::Mutex mutex;
  internal::CondVar released;
  tsl::robin_set<Claim, ClaimHash> held VICINAL_GUARDED_BY(mutex);
  std::size_t waiting VICINAL_GUARDED_BY(mutex) = 0;
};

constexpr unsigned kTableBits = 7;
using Table = std::array<Shard, std::size_t{1} << kTableBits>;

Shard& shard_for(const Claim& claim) {
  return internal::of_process<Table>()[mix(claim) >> (64 - kTableBits)];
}

// What a large batch has made it grow to it would keep as long as the process.
constexpr std::size_t kKeptBuckets = 1024;

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
  VICINAL_STEP_POINT("claims.asked");
  const Claim claim{this, label};
  Shard& shard = shard_for(claim);
  const internal::MutexLock lock(shard.mutex);
  if (CallbackScope::holds_labels()) return shard.held.insert(claim).second;
  ++shard.waiting;
  try {
    while (!shard.held.insert(claim).second) shard.released.wait(shard.mutex);
  } catch (...) {
    --shard.waiting;
    throw;
  }
  --shard.waiting;
  return true;
}

void LabelClaims::release(Label label) {
  VICINAL_STEP_POINT("claims.given_back");
  const Claim claim{this, label};
  Shard& shard = shard_for(claim);
  const internal::MutexLock lock(shard.mutex);
  shard.held.erase(claim);
  if (shard.held.empty() && shard.held.bucket_count() > kKeptBuckets) {
    decltype(shard.held)().swap(shard.held);
  }
  if (shard.waiting > 0) shard.released.notify_all();
}

}  // namespace vicinal::engine
