// Checkpoints: what changed since the last one goes to disk, so that opening need not replay it.
//
// What: one checkpoint at a time, when it was the last, and how many bytes the next is due for.
// Ownership: a part of an IndexCore that has, or had, records; borrows its state.
// Threads: every method from any thread. Who asks inside a callback is refused instead of waiting.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/base/mutex.h"
#include "engine/index_state.h"
#include "engine/turn.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class Checkpoints {
 public:
  explicit Checkpoints(IndexState& state) : state_(state) {}
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  /// See Index.
  Status checkpoint(const ProgressCallback& progress);
  /// The same for who is inside the gate, or has closed it. Needs records.
  /// Errors: kBusy: a callback asked while another one runs.
  Status write(const ProgressCallback& progress);

  /// Rows whose links no checkpoint holds yet and which the journal does not count: those of
  /// batches, and of what recovery linked anew. Losing these links costs linking them again at the
  /// next opening.
  void add_unsaved(std::uint64_t bytes) { unsaved_bytes_.fetch_add(bytes); }
  /// Whether journal and unsaved rows have come to `bytes`. Inside the gate; needs records.
  bool due(std::uint64_t bytes) const { return waiting() >= bytes; }
  /// Why an upsert is refused, if so: background_health.h. Inside the gate.
  Status refusal() const;
  /// Seconds since the last one; -1 when there was none since opening.
  double age() const;

 private:
  /// Bytes of journal and unsaved rows.
  std::uint64_t waiting() const;

  IndexState& state_;
  Turn writing_;
  std::atomic<std::uint64_t> unsaved_bytes_{0};
  mutable internal::Mutex written_at_mutex_;
  std::optional<std::chrono::steady_clock::time_point> written_at_
      VICINAL_GUARDED_BY(written_at_mutex_);
};

}  // namespace vicinal::engine
