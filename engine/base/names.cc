// The words for the public enums: in messages, in JSON, on the command line.
#include "vicinal/event.h"
#include "vicinal/types.h"

namespace vicinal {

const char* metric_name(Metric metric) noexcept {
  switch (metric) {
    case Metric::kCosine:
      return "cosine";
    case Metric::kInnerProduct:
      return "inner_product";
    case Metric::kSquaredL2:
      return "l2";
  }
  return "unknown";
}

const char* quantization_name(Quantization quantization) noexcept {
  switch (quantization) {
    case Quantization::kNone:
      return "none";
    case Quantization::kInt8:
      return "int8";
  }
  return "unknown";
}

const char* storage_name(Storage storage) noexcept {
  switch (storage) {
    case Storage::kFloat32:
      return "float32";
    case Storage::kFloat16:
      return "float16";
    case Storage::kInt8:
      return "int8";
  }
  return "unknown";
}

const char* durability_name(Durability durability) noexcept {
  switch (durability) {
    case Durability::kFull:
      return "full";
    case Durability::kRelaxed:
      return "relaxed";
    case Durability::kNone:
      return "none";
  }
  return "unknown";
}

const char* outcome_name(UpsertOutcome outcome) noexcept {
  switch (outcome) {
    case UpsertOutcome::kInserted:
      return "inserted";
    case UpsertOutcome::kUpdated:
      return "updated";
    case UpsertOutcome::kResurrected:
      return "resurrected";
    case UpsertOutcome::kUnchanged:
      return "unchanged";
  }
  return "unknown";
}

const char* outcome_name(EraseOutcome outcome) noexcept {
  switch (outcome) {
    case EraseOutcome::kErased:
      return "erased";
    case EraseOutcome::kAbsent:
      return "absent";
  }
  return "unknown";
}

const char* path_name(SearchPath path) noexcept {
  switch (path) {
    case SearchPath::kEmpty:
      return "empty";
    case SearchPath::kGraph:
      return "graph";
    case SearchPath::kFilteredGraph:
      return "filtered_graph";
    case SearchPath::kExactScan:
      return "exact_scan";
  }
  return "unknown";
}

const char* event_name(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::kCheckpointFailed:
      return "checkpoint_failed";
    case EventKind::kRepairFailed:
      return "repair_failed";
    case EventKind::kRecovered:
      return "recovered";
    case EventKind::kDamage:
      return "damage";
    case EventKind::kStaleReader:
      return "stale_reader";
    case EventKind::kFileGrown:
      return "file_grown";
    case EventKind::kNearlyFull:
      return "nearly_full";
    case EventKind::kHugePagesRefused:
      return "huge_pages_refused";
  }
  return "unknown";
}

const char* severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "unknown";
}

}  // namespace vicinal
