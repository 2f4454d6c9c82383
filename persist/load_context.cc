#include "persist/load_context.h"

#include <fmt/format.h>

#include "persist/chunk_copy.h"

namespace vicinal::persist {

void LoadContext::note(std::string message) {
  constexpr std::size_t kMaxMessages = 100;
  if (report.messages.size() < kMaxMessages) report.messages.push_back(std::move(message));
}

Status LoadContext::aside(const Status& damage) {
  const bool bytes_are_wrong = damage.code() == StatusCode::kCorruption;
  if (!options.salvage || !bytes_are_wrong) return damage;
  ++report.salvaged;
  note(damage.message());
  return {};
}

Status LoadContext::tell(const char* phase, std::uint64_t done, std::uint64_t total) {
  if (!options.progress) return {};
  bool go_on = true;
  const auto ask = [&] { go_on = options.progress({phase, done, total}); };
  if (environment.read_only()) {  // what another process writes meanwhile must not be mixed in
    snapshot.call_back(ask);
  } else {
    if (Status s = snapshot.outside(ask); !s.ok()) return s;
    reader = ValueReader(environment);
  }
  if (go_on) return {};
  return Status::cancelled(fmt::format("loading stopped at {} of {} ({})", done, total, phase));
}

Result<Bytes> LoadContext::find_chunk(std::uint32_t chunk) {
  Result<Bytes> value = persist::find_chunk(transaction, databases.vectors, chunk);
  if (value && !reader.knows()) reader.learn(*value);
  return value;
}

Result<ChunkRows> LoadContext::verified_rows(std::uint32_t chunk, const Result<Bytes>& value,
                                             ChunkRoom* room) const {
  if (!value) return value.status();
  return copy_chunk(layout, chunk, *value, reader, *room);
}

}  // namespace vicinal::persist
