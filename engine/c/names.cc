// The words for enumerators, and what else is told of them.
#include <cstdint>

#include "vicinal/c/event.h"
#include "vicinal/c/types.h"
#include "vicinal/event.h"
#include "vicinal/types.h"

namespace {

/// `value` as an enumerator; one that is none of `Enum` has no word.
template <typename Enum>
Enum enumerator(std::int32_t value) {
  return static_cast<Enum>(value < 0 || value > 255 ? 255 : value);
}

}  // namespace

const char* vicinal_metric_name(vicinal_metric metric) {
  return vicinal::metric_name(enumerator<vicinal::Metric>(metric));
}
const char* vicinal_quantization_name(vicinal_quantization quantization) {
  return vicinal::quantization_name(enumerator<vicinal::Quantization>(quantization));
}
const char* vicinal_storage_name(vicinal_storage storage) {
  return vicinal::storage_name(enumerator<vicinal::Storage>(storage));
}
const char* vicinal_durability_name(vicinal_durability durability) {
  return vicinal::durability_name(enumerator<vicinal::Durability>(durability));
}
const char* vicinal_upsert_outcome_name(vicinal_upsert_outcome outcome) {
  return vicinal::outcome_name(enumerator<vicinal::UpsertOutcome>(outcome));
}
const char* vicinal_erase_outcome_name(vicinal_erase_outcome outcome) {
  return vicinal::outcome_name(enumerator<vicinal::EraseOutcome>(outcome));
}
const char* vicinal_search_path_name(vicinal_search_path path) {
  return vicinal::path_name(enumerator<vicinal::SearchPath>(path));
}
const char* vicinal_event_name(vicinal_event_kind kind) {
  return vicinal::event_name(enumerator<vicinal::EventKind>(kind));
}
const char* vicinal_severity_name(vicinal_severity severity) {
  return vicinal::severity_name(enumerator<vicinal::Severity>(severity));
}

size_t vicinal_stored_bytes(vicinal_storage storage, size_t dimension) {
  if (storage < VICINAL_STORAGE_FLOAT32 || storage > VICINAL_STORAGE_INT8) return 0;
  return vicinal::stored_bytes(enumerator<vicinal::Storage>(storage), dimension);
}
