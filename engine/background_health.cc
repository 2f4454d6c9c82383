#include "engine/background_health.h"

#include <fmt/format.h>

#include <bit>
#include <utility>

#include "engine/events.h"

namespace vicinal::engine {
namespace {

// A checkpoint is due, fails, and is tried again; writers go on until so many times as much waits
// for it. Then the journal is no longer what the options promised.
constexpr std::uint64_t kPatience = 8;

}  // namespace

BackgroundHealth::BackgroundHealth(std::string index, EventCallback on_event)
    : index_(std::move(index)), on_event_(std::move(on_event)) {}

void BackgroundHealth::failed(EventKind what, const Status& why) noexcept {
  std::uint64_t in_a_row = 0;
  try {
    const internal::MutexLock lock(mutex_);
    what_ = what;
    in_a_row = ++in_a_row_;
    at_ = std::chrono::steady_clock::now();
    failing_.store(true);
    why_ = why;
  } catch (...) {
    // Without memory for the words: it counts all the same.
  }
  if (!std::has_single_bit(in_a_row)) return;
  tell(on_event_, [&] {
    Event event;
    event.kind = what;
    event.severity = Severity::kError;
    event.index = index_;
    event.status = why;
    event.value = in_a_row;
    event.message =
        fmt::format("index \"{}\": {} ({} in a row), tried again soon: {}", index_,
                    what == EventKind::kCheckpointFailed ? "a checkpoint failed" : "repair failed",
                    in_a_row, why.to_string());
    return event;
  });
}

void BackgroundHealth::succeeded(EventKind what) noexcept {
  if (well()) return;
  std::uint64_t before = 0;
  {
    const internal::MutexLock lock(mutex_);
    if (what_ != what) return;
    before = std::exchange(in_a_row_, 0);
    failing_.store(false);
  }
  tell(on_event_, [&] {
    Event event;
    event.kind = EventKind::kRecovered;
    event.index = index_;
    event.value = before;
    event.message =
        fmt::format("index \"{}\": background work goes on after {} failures", index_, before);
    return event;
  });
}

Status BackgroundHealth::refusal(std::uint64_t waiting, std::uint64_t due) const {
  if (well() || waiting / kPatience < due) return {};
  const internal::MutexLock lock(mutex_);
  if (why_.ok() || what_ != EventKind::kCheckpointFailed) return {};
  return Status(
      why_.code(),
      fmt::format("index \"{}\": {} checkpoints in a row failed and {} bytes wait for one "
                  "({} is when one is due); writes go on when one succeeds: {}",
                  index_, in_a_row_, waiting, due, why_.message()));
}

void BackgroundHealth::fill(Stats& stats) const {
  const internal::MutexLock lock(mutex_);
  stats.background_failures = in_a_row_;
  if (why_.ok()) return;
  stats.background_error = why_.to_string();
  stats.background_error_age_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - at_).count();
}

}  // namespace vicinal::engine
