// An index as bytes: the caller's functions as sinks and sources.
#include "vicinal/c/stream.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"
#include "vicinal/stream.h"

using vicinal::Result;
using vicinal::Status;
using vicinal::StatusCode;
using vicinal::c_abi::answer;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;

struct vicinal_paused_writes {
  vicinal::PausedWrites paused;
};

namespace {

/// What a callback answered as the engine says it.
Status status_of(vicinal_status code, const char* who) {
  if (code == VICINAL_OK) return {};
  const bool known = code > VICINAL_OK && code <= VICINAL_CANCELLED;
  return Status(known ? static_cast<StatusCode>(code) : StatusCode::kIoError,
                std::string(who) + " answered " + std::to_string(code));
}

// Two pointers by value: std::function allocates nothing for them, as a forked child wants it.
vicinal::ByteSink sink_of(vicinal_sink sink, void* context) {
  return [sink, context](std::span<const std::byte> bytes) {
    return status_of(sink(context, bytes.data(), bytes.size()), "the sink");
  };
}

}  // namespace

vicinal_status vicinal_index_save(const vicinal_index* index, vicinal_sink sink, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", sink, "sink"));
    return index->index.save(sink_of(sink, context));
  });
}

vicinal_status vicinal_index_load(vicinal_source source, void* context,
                                  const vicinal_index_options* tuning, vicinal_index** index) {
  return hand_out(index, "index", [&](std::unique_ptr<vicinal_index>& made) -> Status {
    VICINAL_RETURN_IF_ERROR(require(source, "source"));
    const Result<vicinal::IndexOptions> options = vicinal::c_abi::read_index_options(tuning);
    if (!options) return options.status();
    const auto bytes = [source, context](std::span<std::byte> room) -> Result<std::size_t> {
      std::size_t count = 0;
      const Status status =
          status_of(source(context, room.data(), room.size(), &count), "the source");
      if (!status.ok()) return status;
      if (count <= room.size()) return count;
      return Status::invalid_argument("the source gave " + std::to_string(count) +
                                      " bytes where there was room for " +
                                      std::to_string(room.size()));
    };
    Result<vicinal::Index> loaded = vicinal::Index::load(bytes, options.value());
    if (!loaded) return loaded.status();
    made = std::make_unique<vicinal_index>(*std::move(loaded));
    return {};
  });
}

vicinal_status vicinal_index_pause_writes(const vicinal_index* index,
                                          vicinal_paused_writes** paused) {
  return hand_out(paused, "paused", [&](std::unique_ptr<vicinal_paused_writes>& made) -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    Result<vicinal::PausedWrites> writes = index->index.pause_writes();
    if (!writes) return writes.status();
    made.reset(new vicinal_paused_writes{*std::move(writes)});
    return {};
  });
}

vicinal_status vicinal_paused_writes_save(vicinal_paused_writes* paused, vicinal_sink sink,
                                          void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(paused, "paused", sink, "sink"));
    return paused->paused.save(sink_of(sink, context));
  });
}

void vicinal_paused_writes_free(vicinal_paused_writes* paused) { delete paused; }
