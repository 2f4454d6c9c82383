#include "engine/file_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/huge_pages.h"
#include "engine/events.h"

namespace vicinal::engine {

FileWatch::FileWatch(const persist::StoreFile& file) : file_(file), map_bytes_(file.map_bytes()) {
  look_at_readers();
  if (!file_.options().on_event || !internal::huge_pages_refused()) return;
  tell(file_.options().on_event, [&] {
    Event event;
    event.kind = EventKind::kHugePagesRefused;
    event.message = fmt::format("store \"{}\": this system gives no huge pages", file_.path());
    return event;
  });
}

void FileWatch::tell_of(EventKind kind, Severity severity, std::uint64_t value, std::uint64_t limit,
                        const char* what) const noexcept {
  tell(file_.options().on_event, [&] {
    Event event;
    event.kind = kind;
    event.severity = severity;
    event.value = value;
    event.limit = limit;
    event.message =
        limit == 0 ? fmt::format("store \"{}\": {}: {}", file_.path(), what, value)
                   : fmt::format("store \"{}\": {}: {} of {}", file_.path(), what, value, limit);
    return event;
  });
}

void FileWatch::look_at_readers() noexcept {
  const int cleared = file_.stale_readers();
  int before = 0;
  {
    const internal::MutexLock lock(mutex_);
    before = std::exchange(stale_readers_, cleared);
  }
  if (cleared == before) return;
  tell_of(EventKind::kStaleReader, Severity::kWarning, static_cast<std::uint64_t>(cleared - before),
          0, "readers of killed processes were cleared");
}

void FileWatch::look() noexcept {
  look_at_readers();
  const std::uint64_t most = file_.options().max_map_bytes;
  const std::uint64_t map = file_.map_bytes();
  const std::uint64_t bytes = most == 0 ? 0 : file_.bytes_on_disk();
  const bool near = most != 0 && bytes >= file_.most_bytes_of_upserts() / 10 * 9;
  bool has_grown = false;
  bool has_come_near = false;
  {
    const internal::MutexLock lock(mutex_);
    has_grown = map > map_bytes_;
    has_come_near = near && !nearly_full_;
    map_bytes_ = std::max(map_bytes_, map);
    nearly_full_ = near;
  }
  if (has_grown) {
    tell_of(EventKind::kFileGrown, Severity::kInfo, map, most, "the map has grown, bytes");
  }
  if (has_come_near) {
    tell_of(EventKind::kNearlyFull, Severity::kWarning, bytes, most,
            "the file is nearly full, bytes");
  }
}

}  // namespace vicinal::engine
