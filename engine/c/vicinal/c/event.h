// Events: what happens in a store and no call returns (vicinal_store_options::on_event).
#pragma once

#include <vicinal/c/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How much an event matters. More may come: treat an unknown one as VICINAL_SEVERITY_ERROR.
typedef int32_t vicinal_severity;
enum {
  VICINAL_SEVERITY_INFO = 0,     ///< worth a line in a log.
  VICINAL_SEVERITY_WARNING = 1,  ///< nothing is wrong yet, or the store has helped itself.
  VICINAL_SEVERITY_ERROR = 2     ///< something that should be done is not done: act.
};

/// What happened. More may come.
typedef int32_t vicinal_event_kind;
enum {
  VICINAL_EVENT_CHECKPOINT_FAILED = 0,  ///< of the store's own thread; value: failures in a row
  VICINAL_EVENT_REPAIR_FAILED = 1,      ///< a slice of the store's own thread; value as above
  VICINAL_EVENT_RECOVERED = 2,          ///< what failed went well again; value: failures before
  VICINAL_EVENT_DAMAGE = 3,             ///< damage met while an index was loaded; value: records
  VICINAL_EVENT_STALE_READER = 4,       ///< readers of killed processes were cleared; value: count
  VICINAL_EVENT_FILE_GROWN = 5,         ///< the map grew; value: its bytes, limit: the most, or 0
  VICINAL_EVENT_NEARLY_FULL = 6,        ///< the file nears max_map_bytes; value: its bytes
  VICINAL_EVENT_HUGE_PAGES_REFUSED = 7  ///< searches cost up to 1.4 times as much
};

typedef struct vicinal_event {
  size_t size;  ///< of this struct
  vicinal_event_kind kind;
  vicinal_severity severity;
  const char* index;           ///< its name; "": the store's
  const char* message;         ///< for people; has the numbers
  const char* status_message;  ///< of what failed; else ""
  vicinal_status status;       ///< of what failed; else VICINAL_OK
  uint32_t reserved;
  uint64_t value;
  uint64_t limit;
} vicinal_event;

/// Called from any thread of the store or of its callers, perhaps from several at once; the event
/// lives as long as the call. It may call the store; what would wait for the work that it
/// interrupts answers VICINAL_BUSY.
typedef void (*vicinal_event_callback)(void* context, const vicinal_event* event);

/// Told that nobody will be given `context` any more.
typedef void (*vicinal_release)(void* context);

/// "checkpoint_failed", "warning"; "unknown" for a value that is none. Never NULL.
/// Threads: any.
VICINAL_API const char* vicinal_event_name(vicinal_event_kind kind);
VICINAL_API const char* vicinal_severity_name(vicinal_severity severity);

#ifdef __cplusplus
}
#endif
