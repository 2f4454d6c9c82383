#include "persist/envelope.h"

#include <fmt/format.h>

#include <cstring>

#include "engine/base/check.h"
#include "persist/checksum.h"

namespace vicinal::persist {
namespace {

const char* kind_name(RecordKind kind) {
  switch (kind) {
    case RecordKind::kStore:
      return "store";
    case RecordKind::kCatalogEntry:
      return "catalog";
    case RecordKind::kOptions:
      return "options";
    case RecordKind::kState:
      return "state";
    case RecordKind::kVectors:
      return "vectors";
    case RecordKind::kNodes:
      return "nodes";
    case RecordKind::kLinks:
      return "links";
    case RecordKind::kJournal:
      return "journal";
    case RecordKind::kTail:
      return "tail";
  }
  return "unknown";
}

}  // namespace

std::uint64_t record_checksum(const RecordId& id, Bytes first, Bytes second) {
  const std::uint64_t seed = (std::uint64_t{id.index} << 8) |
                             static_cast<std::uint64_t>(static_cast<std::uint8_t>(id.kind));
  return checksum(seed, {id.key, first, second});
}

void seal(const RecordId& id, RecordBuffer* record, std::uint16_t version) {
  VICINAL_CHECK(record->size() >= kEnvelopeBytes);
  VICINAL_CHECK(record->size() - kEnvelopeBytes <= 0xFFFFFFFFu);
  std::byte* p = record->data();
  const auto payload_bytes = static_cast<std::uint32_t>(record->size() - kEnvelopeBytes);
  p[0] = static_cast<std::byte>(id.kind);
  p[1] = std::byte{0};
  std::memcpy(p + 2, &version, 2);
  std::memcpy(p + 4, &payload_bytes, 4);
  const std::uint64_t checksum =
      record_checksum(id, Bytes(p, 8), Bytes(p + kEnvelopeBytes, payload_bytes));
  std::memcpy(p + 8, &checksum, 8);
}

Result<Bytes> unseal(const RecordId& id, Bytes value) {
  if (value.size() < kEnvelopeBytes) {
    return Status::corruption(fmt::format("{}: {} bytes, an envelope has {}", describe(id),
                                          value.size(), kEnvelopeBytes));
  }
  const Bytes payload = value.subspan(kEnvelopeBytes);
  if (value_at<std::uint64_t>(value, 8) != record_checksum(id, value.first(8), payload)) {
    return Status::corruption(fmt::format("{}: checksum does not match", describe(id)));
  }
  if (value_at<std::uint8_t>(value, 0) != static_cast<std::uint8_t>(id.kind) ||
      value_at<std::uint32_t>(value, 4) != payload.size()) {
    return Status::corruption(fmt::format("{}: envelope disagrees with its record", describe(id)));
  }
  const std::uint16_t newest =
      id.kind == RecordKind::kOptions ? kStorageOptionsVersion : kRecordVersion;
  const auto version = value_at<std::uint16_t>(value, 2);
  if (version < kRecordVersion || version > newest) {
    return Status::format_version(
        fmt::format("{}: version {}, this release reads {}", describe(id), version, newest));
  }
  return payload;
}

std::string describe(const RecordId& id) {
  const bool numbered = id.kind >= RecordKind::kVectors && id.kind <= RecordKind::kJournal;
  std::string key;
  std::uint32_t key32 = 0;
  std::uint64_t key64 = 0;
  if (numbered && parse_key(id.key, &key32)) {
    key = fmt::format(" {}", key32);
  } else if (numbered && parse_key(id.key, &key64)) {
    key = fmt::format(" {}", key64);
  }
  return fmt::format("{} record{} of index {}", kind_name(id.kind), key, id.index);
}

}  // namespace vicinal::persist
