// RowSource: rows of nodes that the graph does not hold itself, and where to get such a source.
//
// Ownership: whoever opened a source; it gives out rows that are its own.
// Threads: each class says.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "graph/types.h"
#include "vicinal/status.h"

namespace vicinal::graph {

/// Rows of nodes that the graph does not hold itself (Config::keep_vectors false, or payload that
/// comes later). One object serves one call at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// `dimension` floats, valid until the next call or the object's end; nullptr when the node's
  /// slot was freed meanwhile, or the row cannot be read.
  virtual const float* row(NodeId node) = 0;
  /// Why the last row() was nullptr; ok when it is not known.
  virtual Status why() const { return {}; }
  /// Row after row into `out`. Ends the validity of all rows given out before.
  virtual void rows(std::span<const std::uint32_t> ids, const float** out) {
    for (std::size_t i = 0; i < ids.size(); ++i) out[i] = row(NodeId{ids[i]});
  }
  /// Ends the validity of all rows given out, and lets go of what it holds of a store.
  virtual void release() {}
};

/// Where the rows are of nodes that were placed without (place_nodes(), Payload::kLater).
/// Threads: any; what it opens serves one.
class PayloadSource {
 public:
  /// How rows will be asked for.
  enum class Order : std::uint8_t { kScattered, kAscending };

  virtual ~PayloadSource() = default;
  /// Rows as they stand now.
  /// Errors: kBusy passes by itself; others are for good.
  virtual Result<std::unique_ptr<RowSource>> open(Order order) = 0;
};

/// When the rows and codes of placed nodes come into memory.
enum class Payload : std::uint8_t { kNow, kLater };

}  // namespace vicinal::graph
