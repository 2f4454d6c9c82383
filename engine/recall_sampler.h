// RecallSampler: what walks of rising width find for one query (recall_table.h).
//
// What: the nearest by a scan, or by a walk so wide that walk_finds_all() found it as good; then
// walks, until one finds all: wider ones do too. Of the index's own vectors each is sought as if it
// were not there: the walk does not meet it, and it is no answer. All of one sample is of one moment.
// Threads: any; passes the gate.
// Cost: a scan or a walk for some thousand nodes, and some narrow ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/index_state.h"
#include "engine/recall_table.h"

namespace vicinal::engine {

class RecallSampler {
 public:
  enum class Truth : std::uint8_t { kScan, kWalk };

  explicit RecallSampler(const IndexState& state) : state_(state) {}

  /// A live vector of the index, the same for the same number and index, sought `depths` steps
  /// deep. Nothing when none was met, or it could not be read, or the index is closed.
  std::optional<RecallSample> own_vector(std::uint64_t number, std::size_t depths,
                                         Truth truth) const;
  /// A query that was asked.
  std::optional<RecallSample> query(std::span<const float> query, std::size_t depths,
                                    Truth truth) const;
  /// Whether kWalk finds the nearest of some own vectors as a scan does: all but one in a thousand.
  bool walk_finds_all(std::size_t depths) const;

 private:
  /// An own vector drawn by `number` inside `moment`, decoded to `vector`; kNoNode: none.
  graph::NodeId draw(const graph::Moment& moment, StoredRows* rows, std::uint64_t number,
                     std::vector<float>& vector) const;
  std::optional<RecallSample> sample(const graph::Moment& moment,
                                     const graph::SearchRequest& request, std::size_t depths,
                                     Truth truth) const;
  /// The nearest `k` but the vector itself.
  std::vector<graph::Found> nearest(const graph::Moment& moment,
                                    const graph::SearchRequest& request, std::size_t k,
                                    Truth truth) const;
  /// What one walk, or a scan, finds for `k`, but for the vector itself.
  std::vector<graph::Found> seek(const graph::Moment& moment, graph::SearchRequest request,
                                 std::size_t k, std::size_t ef, bool scan) const;

  const IndexState& state_;
};

}  // namespace vicinal::engine
