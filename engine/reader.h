// Reader: everything that looks and changes nothing: searches, get and walks, recall, validate.
//
// What: one file a verb: search.cc, read.cc (get, contains, the walks), save.cc, recall.cc, validate.cc.
// Ownership: a part of IndexCore; borrows its state.
// Threads: every method from any thread. Searches over vectors that are all in memory take no lock
// and do not pass the gate; whatever reads a row of the store is inside it (E7).
//
// Invariants:
//   E12  An answer (a search, get, contains, a node) is of one graph::Moment, and what a label stands
//        for in it is Moment::stood() of its entry. Walks take a moment a run.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/index_state.h"
#include "engine/known_recall.h"
#include "graph/graph.h"
#include "vicinal/index.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::engine {

class Reader {
 public:
  Reader(const IndexState& state, KnownRecall& known_recall)
      : state_(state), known_recall_(known_recall) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // The verbs of Index (see there).
  Result<SearchResult> search(std::span<const float> query, const SearchOptions& options) const;
  Result<std::size_t> search_into(std::span<const float> query, const SearchOptions& options,
                                  std::span<Hit> hits, SearchCounters* counters) const;
  Result<std::vector<SearchResult>> search_batch(std::span<const float> queries,
                                                 const SearchOptions& options,
                                                 unsigned threads) const;
  Result<RadiusResult> search_radius(std::span<const float> query, float radius,
                                     const RadiusOptions& options) const;
  Result<std::vector<float>> get(Label label) const;
  Result<std::vector<std::byte>> get_stored(Label label) const;
  bool contains(Label label) const;
  Status for_each(const std::function<bool(Label, std::span<const float>)>& visit) const;
  Result<Index::NodeView> node(Label label) const;
  Status for_each_node(const std::function<bool(const Index::NodeView&)>& visit) const;
  Status save(const ByteSink& sink) const;
  Result<double> recall(const RecallOptions& options) const;
  Result<ValidateReport> validate(const ValidateOptions& options) const;

 private:
  // -- search.cc
  Status check_query(std::span<const float> query, const std::string& what = {}) const;
  /// One search of a checked query: calls take(found), nearest first, at most `most`.
  template <typename Take>
  Status find(std::span<const float> query, const SearchOptions& options, std::size_t most,
              SearchCounters& counters, const Take& take) const;
  /// Why rows of a search were missing, if so.
  Status check_rows(const StoredRows* rows) const;

  // -- read.cc
  /// Calls take(row) with the row that stands for `label`.
  template <typename Take>
  Status with_row(Label label, const Take& take) const;
  Index::NodeView view(const graph::Moment& moment, graph::NodeId node) const;
  /// Of `labels` those that are live, and their vectors, appended.
  Status copy_live_rows(std::span<const Label> labels, std::vector<Label>& live,
                        std::vector<float>& vectors) const;
  /// Every label that is live at one moment.
  std::vector<Label> live_labels() const;
  /// Why the vector of a live node is not to be had.
  Status unreadable(Label label, const StoredRows& rows) const;

  // -- validate.cc
  void validate_labels(ValidateReport& report, std::size_t max_messages) const;
  Status validate_records(ValidateReport& report, const ValidateOptions& options) const;

  const IndexState& state_;
  KnownRecall& known_recall_;
};

/// See Index::more().
Result<SearchResult> search_further(const Reader& reader, std::span<const float> query,
                                    std::span<const Hit> before, std::size_t n,
                                    const SearchOptions& options);

}  // namespace vicinal::engine
