#include "graph/deferred.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "graph/graph_state.h"
#include "graph/parallel.h"

namespace vicinal::graph {
namespace {

// Consecutive nodes that one thread loads: their rows and codes fill huge pages of their own, which
// would be cleared twice if two threads met in them.
constexpr std::uint64_t kSlice = 8192;
// Of those, so many inside one epoch and one snapshot of the source.
constexpr std::uint64_t kAtOnce = 512;
// A store can have as many readers as it takes, for a moment. Who loads comes again by itself.
constexpr int kMostTries = 10'000;
constexpr std::chrono::milliseconds kBetweenTries{1};

}  // namespace

void DeferredPayload::defer(NodeId node) {
  states_[raw(node)].store(kWaiting, std::memory_order_relaxed);
  left_.fetch_add(1, std::memory_order_relaxed);
}

bool DeferredPayload::claim(NodeId node) {
  std::uint8_t waiting = kWaiting;
  return states_[raw(node)].compare_exchange_strong(waiting, kBusy, std::memory_order_acquire);
}

void DeferredPayload::arrived(NodeId node) {
  states_[raw(node)].store(kHere, std::memory_order_release);
  left_.fetch_sub(1, std::memory_order_release);
}

void DeferredPayload::take_over(NodeId node) {
  while (!here(node)) {
    if (claim(node)) {
      arrived(node);
    } else {
      std::this_thread::yield();  // load() is at it, and waits for nothing but the source
    }
  }
}

std::unique_ptr<RowSource> DeferredPayload::rows(PayloadSource::Order order) {
  for (int tries = 1; !failed_.load(std::memory_order_relaxed); ++tries) {
    Result<std::unique_ptr<RowSource>> rows = source_->open(order);
    if (rows) return std::move(*rows);
    const bool busy = rows.status().code() == StatusCode::kBusy;
    if (busy && order == PayloadSource::Order::kAscending) break;
    if (!busy || tries == kMostTries) {
      fail(rows.status());
      break;
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  return nullptr;
}

const float* DeferredPayload::row(RowSource* rows, NodeId node, internal::Vector<float>& zeros) {
  if (const float* const row = rows == nullptr ? nullptr : rows->row(node)) return row;
  fail(unreadable(node, rows));
  zeros.assign(g_.config.dimension, 0.0f);
  return zeros.data();
}

void DeferredPayload::load_nodes(std::uint64_t first, std::uint64_t last) {
  const BorrowedScratch scratch(g_.scratches);
  // All that can throw comes before a node is claimed: the row too, which is the right one when the
  // claim that follows succeeds (D4).
  scratch->rotated.resize(g_.config.dimension);
  std::unique_ptr<RowSource> rows;
  for (std::uint64_t i = first; i < last && !failed_.load(std::memory_order_relaxed); ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (here(node)) continue;
    // Opened before the claim: who waits for a busy node (D3) must not wait for a store that waits
    // for him.
    if (rows == nullptr) rows = this->rows(PayloadSource::Order::kAscending);
    if (rows == nullptr) return;
    const float* const row = rows->row(node);
    if (!claim(node)) continue;
    const bool wanted = g_.state(node) != NodeState::kFree;  // else nobody reads it any more
    if (wanted && row == nullptr) {
      states_[raw(node)].store(kWaiting, std::memory_order_release);
      fail(unreadable(node, rows.get()));
      return;
    }
    if (wanted) g_.write_row(node, row, *scratch);
    arrived(node);
  }
}

void DeferredPayload::load_slice(std::uint64_t slice) {
  const std::uint64_t end = std::min<std::uint64_t>((slice + 1) * kSlice, states_.size());
  for (std::uint64_t first = slice * kSlice; first < end; first += kAtOnce) {
    load_nodes(first, std::min(first + kAtOnce, end));
  }
}

Status DeferredPayload::load(unsigned threads, const StepCallback& step) {
  const std::uint64_t total = states_.size();
  const std::uint64_t slices = (total + kSlice - 1) / kSlice;
  std::atomic<bool> cancelled{false};
  std::mutex step_mutex;
  // Told by the calling thread alone: a callback on a helper could not be told from anybody's call.
  const std::thread::id caller = std::this_thread::get_id();
  const auto go_on = [&] {
    const bool told = step && std::this_thread::get_id() == caller;
    if (!told || cancelled.load()) return !cancelled.load();
    const std::lock_guard lock(step_mutex);
    if (!cancelled.load() && !step(total - std::min(left(), total), total)) cancelled.store(true);
    return !cancelled.load();
  };
  parallel_for(threads, slices, 1, [&](std::size_t) {
    if (left() == 0 || !go_on()) return;
    const std::uint64_t slice = next_slice_.fetch_add(1, std::memory_order_relaxed);
    if (slice < slices) load_slice(slice);
  });
  // What another load() is at, or left behind.
  for (std::uint64_t slice = 0; left() > 0 && status().ok() && go_on();) {
    load_slice(slice);
    if (++slice == slices) {
      slice = 0;
      std::this_thread::sleep_for(kBetweenTries);
    }
  }
  if (status().ok() && left() > 0) {
    return Status::cancelled(
        fmt::format("loading stopped, {} of {} vectors are left", left(), total));
  }
  return status();
}

Status DeferredPayload::unreadable(NodeId node, const RowSource* rows) const {
  const Status why = rows == nullptr ? Status() : rows->why();
  return Status(why.ok() ? StatusCode::kIoError : why.code(),
                fmt::format("the vector of label {} (node {}) cannot be read{}{}", g_.labels[node],
                            raw(node), why.ok() ? "" : ": ", why.message()));
}

void DeferredPayload::fail(const Status& status) {
  const std::lock_guard lock(failure_mutex_);
  if (failure_.ok()) failure_ = status;
  failed_.store(true);
}

Status DeferredPayload::status() const {
  if (!failed_.load()) return {};
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

}  // namespace vicinal::graph
