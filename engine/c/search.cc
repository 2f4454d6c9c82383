// Searching.
#include "vicinal/c/search.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"
#include "engine/c/shapes.h"
#include "engine/c/structs.h"

using vicinal::Hit;
using vicinal::Result;
using vicinal::SearchCounters;
using vicinal::SearchOptions;
using vicinal::SearchResult;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::check_result;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;
using vicinal::c_abi::require_array;
using vicinal::c_abi::write_struct;

namespace {

// Hits that are kept on the stack on their way into the caller's two arrays.
constexpr std::size_t kMostOnStack = 128;

vicinal_search_counters to_struct(const SearchCounters& counters) {
  vicinal_search_counters counted = {};
  counted.distances = counters.distances;
  counted.nodes_visited = counters.nodes_visited;
  counted.path = static_cast<vicinal_search_path>(counters.path);
  counted.stopped = counters.stopped ? 1 : 0;
  counted.row_bytes = counters.row_bytes;
  counted.ef_search = counters.ef_search;
  return counted;
}

/// Writes hits to the caller's arrays; `distances` may be null.
void split(std::span<const Hit> hits, std::uint64_t* labels, float* distances) {
  for (std::size_t i = 0; i < hits.size(); ++i) labels[i] = hits[i].label;
  if (distances == nullptr) return;
  for (std::size_t i = 0; i < hits.size(); ++i) distances[i] = hits[i].distance;
}

/// k is at most kMostOnStack.
Result<std::size_t> search_few(const vicinal::Index& index, std::span<const float> query,
                               const SearchOptions& options, std::uint64_t* labels,
                               float* distances, SearchCounters& counters) {
  // Only the hits that are asked for are made.
  alignas(Hit) std::array<std::byte, kMostOnStack * sizeof(Hit)> room;
  Hit* const hits = reinterpret_cast<Hit*>(room.data());
  std::uninitialized_default_construct_n(hits, options.k);
  Result<std::size_t> count = index.search_into(query, options, {hits, options.k}, &counters);
  if (count) split({hits, count.value()}, labels, distances);
  return count;
}

Result<std::size_t> search_many(const vicinal::Index& index, std::span<const float> query,
                                const SearchOptions& options, std::uint64_t* labels,
                                float* distances, SearchCounters& counters) {
  const Result<SearchResult> result = index.search(query, options);
  if (!result) return result.status();
  split(result.value().hits, labels, distances);
  counters = result.value().counters;
  return result.value().size();
}

/// All of `count` structs have the first one's size, which steps from one to the next.
Status check_counters(const vicinal_search_counters* counters, std::size_t count) {
  if (counters == nullptr || count == 0) return {};
  VICINAL_RETURN_IF_ERROR(check_result(counters, "vicinal_search_counters"));
  return vicinal::c_abi::check_matrix("counters", count, counters->size, 1);
}

/// A row of k: its hits, then what says that there are no more.
void write_row(std::span<const Hit> hits, std::size_t k, std::uint64_t* labels, float* distances) {
  split(hits, labels, distances);
  std::fill(labels + hits.size(), labels + k, std::numeric_limits<std::uint64_t>::max());
  if (distances == nullptr) return;
  std::fill(distances + hits.size(), distances + k, std::numeric_limits<float>::infinity());
}

}  // namespace

vicinal_status vicinal_index_search(const vicinal_index* index, const float* query,
                                    size_t dimension, size_t k,
                                    const vicinal_search_options* options, uint64_t* labels,
                                    float* distances, size_t* found,
                                    vicinal_search_counters* counters) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", query, "query", found, "found"));
    VICINAL_RETURN_IF_ERROR(require_array(labels, "labels", k));
    VICINAL_RETURN_IF_ERROR(check_result(counters, "vicinal_search_counters"));
    Result<SearchOptions> read = vicinal::c_abi::read_search_options(options);
    if (!read) return read.status();
    read.value().k = k;
    SearchCounters counted;
    const auto search = k <= kMostOnStack ? search_few : search_many;
    const Result<std::size_t> count =
        search(index->index, {query, dimension}, read.value(), labels, distances, counted);
    if (!count) return count.status();
    *found = count.value();
    write_struct(counters, to_struct(counted));
    return {};
  });
}

vicinal_status vicinal_index_more(const vicinal_index* index, const float* query, size_t dimension,
                                  const uint64_t* known_labels, size_t known, size_t n,
                                  const vicinal_search_options* options, uint64_t* labels,
                                  float* distances, size_t* found,
                                  vicinal_search_counters* counters) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", query, "query", found, "found"));
    VICINAL_RETURN_IF_ERROR(require_array(known_labels, "known_labels", known));
    VICINAL_RETURN_IF_ERROR(require_array(labels, "labels", n));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("known", known, 1, sizeof(Hit)));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("n", n, 1, sizeof(Hit)));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("known + n", known + n, 1, sizeof(Hit)));
    VICINAL_RETURN_IF_ERROR(check_result(counters, "vicinal_search_counters"));
    const Result<SearchOptions> read = vicinal::c_abi::read_search_options(options);
    if (!read) return read.status();
    std::vector<Hit> before(known);
    for (std::size_t i = 0; i < known; ++i) before[i].label = known_labels[i];
    const Result<SearchResult> result =
        index->index.more({query, dimension}, before, n, read.value());
    if (!result) return result.status();
    split(result.value().hits, labels, distances);
    *found = result.value().size();
    write_struct(counters, to_struct(result.value().counters));
    return {};
  });
}

vicinal_status vicinal_index_expected_recall(const vicinal_index* index, size_t k, size_t* efs,
                                             double* recalls, size_t capacity, size_t* count,
                                             uint64_t* own_vectors, uint64_t* queries) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", count, "count"));
    VICINAL_RETURN_IF_ERROR(require_array(efs, "efs", capacity));
    VICINAL_RETURN_IF_ERROR(require_array(recalls, "recalls", capacity));
    const Result<vicinal::ExpectedRecall> expected = index->index.expected_recall(k);
    if (!expected) return expected.status();
    const std::vector<vicinal::ExpectedRecall::Row>& rows = expected.value().rows;
    for (std::size_t i = 0; i < std::min(rows.size(), capacity); ++i) {
      efs[i] = rows[i].ef_search;
      recalls[i] = rows[i].recall;
    }
    *count = rows.size();
    if (own_vectors != nullptr) *own_vectors = expected.value().own_vectors;
    if (queries != nullptr) *queries = expected.value().queries;
    return {};
  });
}

vicinal_status vicinal_index_search_batch(const vicinal_index* index, const float* queries,
                                          size_t rows, size_t dimension, size_t k,
                                          const vicinal_search_options* options, uint32_t threads,
                                          uint64_t* labels, float* distances, size_t* counts,
                                          vicinal_search_counters* counters) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    VICINAL_RETURN_IF_ERROR(require_array(queries, "queries", rows));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_rows(index->index, "queries", rows, dimension));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("labels", rows, k, sizeof *labels));
    VICINAL_RETURN_IF_ERROR(require_array(labels, "labels", rows * k));
    VICINAL_RETURN_IF_ERROR(check_counters(counters, rows));
    Result<SearchOptions> read = vicinal::c_abi::read_search_options(options);
    if (!read) return read.status();
    read.value().k = k;
    const Result<std::vector<SearchResult>> results = index->index.search_batch(
        {queries, rows == 0 ? 0 : rows * dimension}, read.value(), threads);
    if (!results) return results.status();
    auto* counter = reinterpret_cast<unsigned char*>(counters);
    const std::size_t counters_size = counters == nullptr || rows == 0 ? 0 : counters->size;
    for (std::size_t i = 0; i < rows; ++i) {
      const SearchResult& result = results.value()[i];
      if (k > 0) {
        write_row(result.hits, k, labels + i * k,
                  distances == nullptr ? nullptr : distances + i * k);
      }
      if (counts != nullptr) counts[i] = result.size();
      if (counters != nullptr) {
        vicinal::c_abi::write_sized(reinterpret_cast<vicinal_search_counters*>(counter),
                                    counters_size, to_struct(result.counters));
        counter += counters_size;
      }
    }
    return {};
  });
}

vicinal_status vicinal_index_search_radius(const vicinal_index* index, const float* query,
                                           size_t dimension, float radius,
                                           const vicinal_radius_options* options,
                                           vicinal_hits** hits, vicinal_search_counters* counters) {
  return hand_out(hits, "hits", [&](std::unique_ptr<vicinal_hits>& handle) -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", query, "query"));
    VICINAL_RETURN_IF_ERROR(check_result(counters, "vicinal_search_counters"));
    const Result<vicinal::RadiusOptions> read = vicinal::c_abi::read_radius_options(options);
    if (!read) return read.status();
    const Result<vicinal::RadiusResult> result =
        index->index.search_radius({query, dimension}, radius, read.value());
    if (!result) return result.status();
    auto found = std::make_unique<vicinal_hits>();
    found->labels.resize(result.value().size());
    found->distances.resize(result.value().size());
    split(result.value().hits, found->labels.data(), found->distances.data());
    found->cut = result.value().cut;
    write_struct(counters, to_struct(result.value().counters));
    handle = std::move(found);
    return {};
  });
}

size_t vicinal_hits_count(const vicinal_hits* hits) {
  return hits == nullptr ? 0 : hits->labels.size();
}
const uint64_t* vicinal_hits_labels(const vicinal_hits* hits) {
  return hits == nullptr ? nullptr : hits->labels.data();
}
const float* vicinal_hits_distances(const vicinal_hits* hits) {
  return hits == nullptr ? nullptr : hits->distances.data();
}
bool vicinal_hits_cut(const vicinal_hits* hits) { return hits != nullptr && hits->cut; }
void vicinal_hits_free(vicinal_hits* hits) { delete hits; }
