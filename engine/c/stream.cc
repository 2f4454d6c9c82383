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

/// A sink or source of one call, and what it answered.
template <typename Function>
class Callback {
 public:
  Callback(const char* who, Function function, void* context)
      : who_(who), function_(function), context_(context) {}

  /// As the engine says it.
  template <typename... Arguments>
  Status operator()(Arguments... arguments) {
    answered_ = function_(context_, arguments...);
    if (answered_ == VICINAL_OK) return {};
    const bool known = answered_ > VICINAL_OK && answered_ <= VICINAL_CANCELLED;
    return Status(known ? static_cast<StatusCode>(answered_) : StatusCode::kIoError,
                  std::string(who_) + " answered " + std::to_string(answered_));
  }

  /// What the call answers that came to `status`: two codes the engine has not.
  vicinal_status answer_of(vicinal_status status) const {
    const bool of_the_border = answered_ == VICINAL_OUT_OF_MEMORY || answered_ == VICINAL_INTERNAL;
    return of_the_border ? answered_ : status;
  }

 private:
  const char* const who_;
  const Function function_;
  void* const context_;
  vicinal_status answered_ = VICINAL_OK;
};

// One pointer by value: std::function allocates nothing for it, as a forked child wants it.
vicinal::ByteSink sink_of(Callback<vicinal_sink>& callback) {
  return [to = &callback](std::span<const std::byte> bytes) {
    return (*to)(bytes.data(), bytes.size());
  };
}

}  // namespace

vicinal_status vicinal_index_save(const vicinal_index* index, vicinal_sink sink, void* context) {
  Callback callback("the sink", sink, context);
  return callback.answer_of(answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", sink, "sink"));
    return index->index.save(sink_of(callback));
  }));
}

vicinal_status vicinal_index_load(vicinal_source source, void* context,
                                  const vicinal_index_options* tuning, vicinal_index** index) {
  Callback callback("the source", source, context);
  const auto load = [&](std::unique_ptr<vicinal_index>& made) -> Status {
    VICINAL_RETURN_IF_ERROR(require(source, "source"));
    const Result<vicinal::IndexOptions> options = vicinal::c_abi::read_index_options(tuning);
    if (!options) return options.status();
    const auto bytes = [&callback](std::span<std::byte> room) -> Result<std::size_t> {
      std::size_t count = 0;
      VICINAL_RETURN_IF_ERROR(callback(room.data(), room.size(), &count));
      if (count <= room.size()) return count;
      return Status::invalid_argument("the source gave " + std::to_string(count) +
                                      " bytes where there was room for " +
                                      std::to_string(room.size()));
    };
    Result<vicinal::Index> loaded = vicinal::Index::load(bytes, options.value());
    if (!loaded) return loaded.status();
    made = std::make_unique<vicinal_index>(*std::move(loaded));
    return {};
  };
  return callback.answer_of(hand_out(index, "index", load));
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
  Callback callback("the sink", sink, context);
  return callback.answer_of(answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(paused, "paused", sink, "sink"));
    return paused->paused.save(sink_of(callback));
  }));
}

void vicinal_paused_writes_free(vicinal_paused_writes* paused) { delete paused; }
