// An index as bytes, and paused writes.
#include "vicinal/c/stream.h"

#include <memory>
#include <span>

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"
#include "vicinal/stream.h"

using vicinal::Index;
using vicinal::Result;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;

struct vicinal_paused_writes {
  vicinal::PausedWrites paused;
};

namespace {

/// What a callback answered. Its words are few, so that they need no memory.
Status status_of(vicinal_status answered, const char* words) {
  if (answered == VICINAL_OK) return {};
  const bool known = answered > VICINAL_OK && answered <= VICINAL_CANCELLED;
  return {static_cast<vicinal::StatusCode>(known ? answered : VICINAL_IO_ERROR), words};
}

struct Sink {
  vicinal_sink call;
  void* context;

  Status operator()(std::span<const std::byte> bytes) const {
    return status_of(call(context, bytes.data(), bytes.size()), "the sink failed");
  }
};

struct Source {
  vicinal_source call;
  void* context;

  Result<std::size_t> operator()(std::span<std::byte> room) const {
    std::size_t count = 0;
    const Status status =
        status_of(call(context, room.data(), room.size(), &count), "the source failed");
    if (!status.ok()) return status;
    return count;
  }
};

}  // namespace

vicinal_status vicinal_index_save(const vicinal_index* index, vicinal_sink sink, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", sink, "sink"));
    return index->index.save(Sink{sink, context});
  });
}

vicinal_status vicinal_index_load(vicinal_source source, void* context,
                                  const vicinal_index_options* tuning, vicinal_index** index) {
  return hand_out(index, "index", [&](std::unique_ptr<vicinal_index>& made) -> Status {
    VICINAL_RETURN_IF_ERROR(require(source, "source"));
    const Result<vicinal::IndexOptions> read = vicinal::c_abi::read_index_options(tuning);
    if (!read) return read.status();
    Result<Index> loaded = Index::load(Source{source, context}, read.value());
    if (!loaded) return loaded.status();
    made = std::make_unique<vicinal_index>(*std::move(loaded));
    return {};
  });
}

vicinal_status vicinal_index_pause_writes(const vicinal_index* index,
                                          vicinal_paused_writes** paused) {
  return hand_out(paused, "paused", [&](std::unique_ptr<vicinal_paused_writes>& made) -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    Result<vicinal::PausedWrites> pause = index->index.pause_writes();
    if (!pause) return pause.status();
    made.reset(new vicinal_paused_writes{*std::move(pause)});
    return {};
  });
}

vicinal_status vicinal_paused_writes_save(vicinal_paused_writes* paused, vicinal_sink sink,
                                          void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(paused, "paused", sink, "sink"));
    return paused->paused.save(Sink{sink, context});
  });
}

void vicinal_paused_writes_free(vicinal_paused_writes* paused) { delete paused; }
