// The plain vocabulary shared by every room: labels, metrics and the enums that are written to
// disk.
//
// Enumerator values marked "on disk" are stored in records. Never renumber them.
#pragma once

#include <cstddef>
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

/// What the graph is traversed over. Reported distances are exact, from the stored vectors, whichever
/// is chosen. On disk: never renumber.
enum class Quantization : std::uint8_t {
  kNone = 0,  ///< the stored vectors: no approximation, and the memory traffic that they take.
  kInt8 =
      1,  ///< rotated int8 codes with a scale per vector, re-ranked from the stored vectors. Where
          ///< those are Storage::kInt8 they are the codes: one copy of them in memory.
};

/// What a stored vector is made of: what get() answers, what memory and files hold, and what exact
/// distances are computed from. Two vectors that are stored alike are the same. On disk: never
/// renumber.
enum class Storage : std::uint8_t {
  kFloat32 = 0,  ///< the components as they come.
  kFloat16 = 1,  ///< IEEE 754 binary16: the nearest, of two the even one. What would be beyond
                 ///< 65,504 is refused.
  kInt8 = 2,  ///< scale * code, codes in [-127, 127], one scale a vector: max|x| / 127, cut to 17
  ///< bits so that every product is exact in float32. Refused: max|x| below 1.5e-36, but
  ///< for 0.
};

/// Bytes of a stored vector: `dimension` float32, or float16, or int8 codes, zeros up to a multiple of
/// 4, and the scale as a float32. Little-endian.
constexpr std::size_t stored_bytes(Storage storage, std::size_t dimension) {
  switch (storage) {
    case Storage::kFloat32:
      break;
    case Storage::kFloat16:
      return 2 * dimension;
    case Storage::kInt8:
      return (dimension + 3) / 4 * 4 + 4;
  }
  return 4 * dimension;
}

/// When an acknowledged write survives what.
enum class Durability : std::uint8_t {
  kFull = 0,  ///< fsync before each call returns: survives a power cut.
  /// Survives a killed process; a power cut may lose the calls that shared the last commit, never
  /// integrity.
  kRelaxed = 1,
  /// Bulk load. Survives a killed process; a power cut may damage the store but between a
  /// `Store::sync()` or clean close and the next write.
  kNone = 2,
};

/// What an upsert found and did.
enum class UpsertOutcome : std::uint8_t {
  /// the label was not there; of one that was erased and opened or loaded anew perhaps this, too.
  kInserted = 0,
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
const char* storage_name(Storage storage) noexcept;
const char* durability_name(Durability durability) noexcept;
const char* outcome_name(UpsertOutcome outcome) noexcept;
const char* outcome_name(EraseOutcome outcome) noexcept;
const char* path_name(SearchPath path) noexcept;

}  // namespace vicinal
