// search: checks the query, chooses the path, turns nodes into hits.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/mutex.h"
#include "engine/filtered_request.h"
#include "engine/reader.h"
#include "engine/vector_check.h"

namespace vicinal::engine {
namespace {

using graph::Found;
using graph::NodeId;

/// Room for what the graph finds: of a usual k on the stack. Nothing of a thread's: objects that are static or
/// a thread's own search as they end, too, when such a buffer may have ended before them.
class FoundRoom {
 public:
  explicit FoundRoom(std::size_t size) : size_(size) {
    if (size > few_.size()) many_.resize(size);
  }
  std::span<Found> get() { return {many_.empty() ? few_.data() : many_.data(), size_}; }

 private:
  std::size_t size_;
  std::array<Found, 32> few_;
  std::vector<Found> many_;
};

// Queries of a batch that one thread takes at once.
constexpr std::size_t kQueriesAtOnce = 8;

std::vector<Hit> to_hits(std::span<const Found> found) {
  std::vector<Hit> hits;
  hits.reserve(found.size());
  for (const Found& f : found) hits.push_back({f.label, f.distance});
  return hits;
}

}  // namespace

Status Reader::check_query(std::span<const float> query, const std::string& what) const {
  return check_vector(state_.graph->kernels(), state_.options.metric, state_.options.dimension,
                      query, what);
}

Status Reader::check_rows(const StoredRows* rows) const {
  return rows != nullptr ? rows->status() : Status();
}

Result<SearchResult> Reader::search(std::span<const float> query,
                                    const SearchOptions& options) const {
  if (state_.gate.closed()) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(check_query(query));
  SearchResult result;
  const Status status = find(query, options, options.k, result.counters,
                             [&](std::span<const Found> found) { result.hits = to_hits(found); });
  if (!status.ok()) return status;
  return result;
}

Result<std::size_t> Reader::search_into(std::span<const float> query, const SearchOptions& options,
                                        std::span<Hit> hits, SearchCounters* counters) const {
  SearchCounters unused;
  SearchCounters& counted = counters == nullptr ? unused : *counters;
  counted = {};
  if (state_.gate.closed()) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(check_query(query));
  std::size_t count = 0;
  const Status status =
      find(query, options, hits.size(), counted, [&](std::span<const Found> found) {
        for (const Found& f : found) hits[count++] = {f.label, f.distance};
      });
  if (!status.ok()) return status;
  return count;
}

template <typename Take>
Status Reader::find(std::span<const float> query, const SearchOptions& options, std::size_t most,
                    SearchCounters& counters, const Take& take) const {
  if (most == 0) return {};
  std::optional<CallScope> scope;  // around the moment: nobody closes a store inside one
  if (options.filter.predicate) scope.emplace();
  std::optional<Gate::Pass> pass;
  std::unique_ptr<StoredRows> source;
  if (!state_.graph->config().keep_vectors) {
    pass.emplace(state_.gate);
    if (!*pass) return state_.closed_status();
    source = state_.rows();
  }
  const bool exact = options.exact || (options.recall == 1 && options.ef_search == 0);
  const std::size_t width = exact ? 0 : known_recall_.width(query, options, most);
  const graph::Moment moment(*state_.graph);
  // After the moment began: all that counts at it are fewer.
  const std::size_t k = std::min<std::uint64_t>(most, state_.graph->node_limit());
  const FilteredRequest filtered(options.filter, state_.labels, state_.graph->live());
  graph::SearchRequest request = filtered.request();
  request.query = query.data();
  request.k = k;
  request.ef = std::max(k, std::min<std::uint64_t>(width, state_.graph->node_limit()));
  request.rows = source.get();
  graph::SearchLimit limit(options.deadline, options.max_distances);
  if (options.has_limit()) request.limit = &limit;

  FoundRoom room(k);
  const std::span<Found> found = room.get();
  const std::size_t count = exact ? state_.graph->scan(moment, request, found, counters)
                                  : state_.graph->search(moment, request, found, counters);
  VICINAL_RETURN_IF_ERROR(check_rows(source.get()));
  counters.ef_search = exact ? 0 : request.ef;
  counters.stopped = limit.stopped();
  take(std::span<const Found>(found.first(count)));
  return {};
}

Result<SearchResult> search_further(const Reader& reader, std::span<const float> query,
                                    std::span<const Hit> before, std::size_t n,
                                    const SearchOptions& options) {
  SearchOptions wider = options;
  wider.k = before.size() + std::min(n, std::numeric_limits<std::size_t>::max() - before.size());
  Result<SearchResult> result = reader.search(query, wider);
  if (!result) return result;
  std::vector<Label> known;
  known.reserve(before.size());
  for (const Hit& hit : before) known.push_back(hit.label);
  std::sort(known.begin(), known.end());
  std::erase_if(result->hits, [&](const Hit& hit) {
    return std::binary_search(known.begin(), known.end(), hit.label);
  });
  if (result->hits.size() > n) result->hits.resize(n);
  return result;
}

Result<std::vector<SearchResult>> Reader::search_batch(std::span<const float> queries,
                                                       const SearchOptions& options,
                                                       unsigned threads) const {
  if (state_.gate.closed()) return state_.closed_status();
  const std::size_t dimension = state_.options.dimension;
  VICINAL_RETURN_IF_ERROR(
      check_shape(state_.options.dimension, queries.size() / dimension, queries.size()));
  const std::size_t rows = queries.size() / dimension;
  const auto query = [&](std::size_t i) { return queries.subspan(i * dimension, dimension); };
  for (std::size_t i = 0; i < rows; ++i) {
    const Status status = check_query(query(i));
    if (!status.ok()) {
      return Status(status.code(), fmt::format("row {}: {}", i, status.message()));
    }
  }
  std::vector<SearchResult> results(rows);
  internal::Mutex mutex;
  Status first_error;
  const CallScope call;
  const CallScope::Caller caller;
  state_.workers(threads).for_each(rows, kQueriesAtOnce, [&](std::size_t i) {
    const CallScope::Adopted inside(caller);
    Result<SearchResult> result = search(query(i), options);
    if (result) {
      results[i] = std::move(*result);
      return;
    }
    const internal::MutexLock lock(mutex);
    if (first_error.ok()) first_error = result.status();
  });
  if (!first_error.ok()) return first_error;
  return results;
}

Result<RadiusResult> Reader::search_radius(std::span<const float> query, float radius,
                                           const RadiusOptions& options) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(check_query(query));
  if (std::isnan(radius)) return Status::invalid_argument("radius is not a number");
  RadiusResult result;
  if (state_.graph->live() == 0) return result;
  const std::unique_ptr<StoredRows> source = state_.rows();
  const graph::Moment moment(*state_.graph);
  const FilteredRequest filtered(options.filter, state_.labels, state_.graph->live());
  graph::SearchRequest request = filtered.request();
  request.query = query.data();
  // One more than asked for says whether there are more; 0 is all.
  const bool limited = options.max_hits != 0 && options.max_hits < state_.graph->node_limit();
  request.k = limited ? options.max_hits + 1 : 0;
  const std::size_t ef = options.ef_search == 0 ? state_.options.ef_search : options.ef_search;
  request.ef = std::min<std::uint64_t>(ef, state_.graph->node_limit());
  request.rows = source.get();
  result.hits = to_hits(
      options.exact ? state_.graph->scan_radius(moment, request, radius, result.counters)
                    : state_.graph->search_radius(moment, request, radius, result.counters));
  VICINAL_RETURN_IF_ERROR(check_rows(source.get()));
  result.cut = limited && result.hits.size() > options.max_hits;
  if (result.cut) result.hits.resize(options.max_hits);
  return result;
}

}  // namespace vicinal::engine
