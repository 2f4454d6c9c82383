// Event: what happens in a store and no call returns (StoreOptions::on_event).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "vicinal/requirements.h"
#include "vicinal/status.h"

namespace vicinal {

/// How much an event matters. More may come: treat an unknown one as kError.
enum class Severity : std::uint8_t {
  kInfo = 0,     ///< worth a line in a log.
  kWarning = 1,  ///< nothing is wrong yet, or the store has helped itself: look into it.
  kError = 2,    ///< something that should be done is not done: act.
};

/// What happened. More may come.
enum class EventKind : std::uint8_t {
  kCheckpointFailed = 0,  ///< a checkpoint of the store's own thread; value: failures in a row
  kRepairFailed = 1,      ///< a slice of repair of the store's own thread; value as above
  kRecovered = 2,         ///< what failed before went well again; value: failures before
  kDamage = 3,            ///< damage met while an index was loaded; value: records
  kStaleReader = 4,       ///< readers of killed processes were cleared; value: how many
  kFileGrown = 5,         ///< the map was enlarged; value: its bytes now, limit: the most, or 0
  kNearlyFull = 6,        ///< the file comes near what StoreOptions::max_map_bytes leaves to
                          ///< upserts; value: its bytes, limit: max_map_bytes
  kHugePagesRefused = 7,  ///< the system gives none: searches cost up to 1.4 times as much
};

struct Event {
  EventKind kind = EventKind::kDamage;
  Severity severity = Severity::kInfo;
  std::string index;  ///< its name; empty: the store's
  Status status;      ///< of what failed; else OK
  std::uint64_t value = 0;
  std::uint64_t limit = 0;
  std::string message;  ///< for people; has the numbers
};

/// Called from any thread of the store or of its callers, perhaps from several at once. It may call
/// the store; what would wait for the work that it interrupts answers kBusy. What it throws is
/// ignored.
using EventCallback = std::function<void(const Event&)>;

/// "checkpoint_failed", "warning"; "unknown" for a value that is none.
const char* event_name(EventKind kind) noexcept;
const char* severity_name(Severity severity) noexcept;

}  // namespace vicinal
