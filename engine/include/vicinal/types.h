// The plain vocabulary shared by every room: labels, metrics and the enums that are written to
// disk.
//
// Enumerator values marked "on disk" are stored in records. Never renumber them.
#pragma once

#include <cstdint>

#include "vicinal/requirements.h"

namespace vicinal {

/// The caller's id of a vector. Any 64-bit value is valid.
using Label = std::uint64_t;

/// How nearness is measured. Smaller is nearer for all of them. On disk: never renumber.
enum class Metric : std::uint8_t {
  kCosine = 0,  ///< 1 - cos(a, b), in [0, 2]. A zero vector is refused.
  kInnerProduct =
      1,  ///< 1 - <a, b>, any finite value. Not a metric: a vector may not be its own nearest.
  kSquaredL2 = 2,  ///< |a - b|^2, at least 0.
};

/// What the graph is traversed over. Reported distances are exact float32 whichever is chosen.
/// On disk: never renumber.
enum class Quantization : std::uint8_t {
  kNone = 0,  ///< float32 rows: four times the memory traffic, no approximation.
  kInt8 = 1,  ///< rotated int8 codes with a scale per vector, re-ranked from float32.
};

/// When an acknowledged write survives what.
enum class Durability : std::uint8_t {
  kFull = 0,  ///< fsync before each call returns: survives a power cut.
  kRelaxed =
      1,      ///< survives a killed process; a power cut may lose the last calls, never integrity.
  kNone = 2,  ///< bulk load: nothing is promised before `Store::sync()` or a clean close.
};

/// What an upsert found and did.
enum class UpsertOutcome : std::uint8_t {
  kInserted = 0,  ///< the label was not there.
  kUpdated = 1,  ///< the label was there with another vector, or was erased and had another vector.
  kResurrected = 2,  ///< erased before with this very vector: the tombstone was lifted.
  kUnchanged = 3,    ///< live with this very vector: nothing was written.
};

/// What an erasure found and did.
enum class EraseOutcome : std::uint8_t {
  kErased = 0,  ///< the label was live.
  kAbsent = 1,  ///< it was not: nothing was written.
};

/// The path a search took; reported so that a surprising latency can be explained.
enum class SearchPath : std::uint8_t {
  kEmpty = 0,          ///< nothing live, or k = 0: no work.
  kGraph = 1,          ///< the HNSW walk.
  kFilteredGraph = 2,  ///< the HNSW walk with a filter applied to what enters the results.
  kExactScan = 3,      ///< every candidate was compared: asked for, or the filter left few.
};

/// The word for a value, as messages, JSON and the command line use it ("inner_product", "int8",
/// "full", "resurrected", "absent", "exact_scan"); "unknown" for a value that is none.
const char* metric_name(Metric metric) noexcept;
const char* quantization_name(Quantization quantization) noexcept;
const char* durability_name(Durability durability) noexcept;
const char* outcome_name(UpsertOutcome outcome) noexcept;
const char* outcome_name(EraseOutcome outcome) noexcept;
const char* path_name(SearchPath path) noexcept;

}  // namespace vicinal
