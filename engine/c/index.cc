// Indexes: made, written, read, walked over.
#include "vicinal/c/index.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"
#include "engine/c/shapes.h"
#include "engine/c/structs.h"

using vicinal::Index;
using vicinal::Label;
using vicinal::Result;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::hand_out;
using vicinal::c_abi::require;
using vicinal::c_abi::require_array;

namespace {

/// Shows `view` to the caller's visitor.
bool show(const Index::NodeView& view, vicinal_node_visitor visit, void* context) {
  const std::size_t levels = view.links.size();
  std::vector<std::size_t> counts(levels);
  std::vector<const std::uint64_t*> links(levels);
  std::vector<const std::uint32_t*> nodes(levels);
  for (std::size_t level = 0; level < levels; ++level) {
    counts[level] = view.links[level].size();
    links[level] = view.links[level].data();
    nodes[level] = view.link_nodes[level].data();
  }
  vicinal_node_view seen = {};
  seen.size = sizeof seen;
  seen.label = view.label;
  seen.node = view.node;
  seen.level = view.level;
  seen.live = view.live;
  seen.link_levels = static_cast<std::uint32_t>(levels);
  seen.link_counts = counts.data();
  seen.links = links.data();
  seen.link_nodes = nodes.data();
  return visit(context, &seen);
}

}  // namespace

vicinal_status vicinal_index_create(const vicinal_index_options* options, vicinal_index** index) {
  return hand_out(index, "index", [&](std::unique_ptr<vicinal_index>& created) -> Status {
    const Result<vicinal::IndexOptions> read = vicinal::c_abi::read_index_options(options);
    if (!read) return read.status();
    Result<Index> made = Index::in_memory(read.value());
    if (!made) return made.status();
    created = std::make_unique<vicinal_index>(*std::move(made));
    return {};
  });
}

void vicinal_index_free(vicinal_index* index) { delete index; }

vicinal_status vicinal_index_upsert(vicinal_index* index, uint64_t label, const float* vector,
                                    size_t dimension, vicinal_upsert_outcome* outcome) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", vector, "vector"));
    const Result<vicinal::UpsertOutcome> done =
        index->index.upsert(label, std::span(vector, dimension));
    if (!done) return done.status();
    if (outcome != nullptr) *outcome = static_cast<vicinal_upsert_outcome>(done.value());
    return {};
  });
}

vicinal_status vicinal_index_upsert_batch(vicinal_index* index, const uint64_t* labels,
                                          const float* vectors, size_t rows, size_t dimension,
                                          const vicinal_batch_options* options,
                                          vicinal_batch_result* result) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    VICINAL_RETURN_IF_ERROR(require_array(labels, "labels", rows));
    VICINAL_RETURN_IF_ERROR(require_array(vectors, "vectors", rows));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_result(result, "vicinal_batch_result"));
    const Result<vicinal::BatchOptions> read = vicinal::c_abi::read_batch_options(options);
    if (!read) return read.status();
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_rows(index->index, "vectors", rows, dimension));
    const Result<vicinal::BatchResult> done = index->index.upsert_batch(
        std::span(labels, rows), std::span(vectors, rows * dimension), read.value());
    if (!done) return done.status();
    vicinal_batch_result counted = {};
    counted.inserted = done.value().inserted;
    counted.updated = done.value().updated;
    counted.resurrected = done.value().resurrected;
    counted.unchanged = done.value().unchanged;
    counted.repeated = done.value().repeated;
    vicinal::c_abi::write_struct(result, counted);
    return {};
  });
}

vicinal_status vicinal_index_get(const vicinal_index* index, uint64_t label, float* vector,
                                 size_t dimension) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", vector, "vector"));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_dimension(index->index, dimension));
    const Result<std::vector<float>> stored = index->index.get(label);
    if (!stored) return stored.status();
    std::copy(stored.value().begin(), stored.value().end(), vector);
    return {};
  });
}

vicinal_status vicinal_index_get_stored(const vicinal_index* index, uint64_t label, void* stored,
                                        size_t bytes) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", stored, "stored"));
    const vicinal::IndexOptions& options = index->index.options();
    const std::size_t expected = vicinal::stored_bytes(options.storage, options.dimension);
    if (bytes != expected) {
      return Status::invalid_argument(std::to_string(bytes) + " bytes, a stored vector has " +
                                      std::to_string(expected));
    }
    const Result<std::vector<std::byte>> row = index->index.get_stored(label);
    if (!row) return row.status();
    std::memcpy(stored, row.value().data(), bytes);
    return {};
  });
}

vicinal_status vicinal_index_contains(const vicinal_index* index, uint64_t label, bool* live) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", live, "live"));
    *live = index->index.contains(label);
    return {};
  });
}

vicinal_status vicinal_index_erase(vicinal_index* index, uint64_t label,
                                   vicinal_erase_outcome* outcome) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    const Result<vicinal::EraseOutcome> done = index->index.erase(label);
    if (!done) return done.status();
    if (outcome != nullptr) *outcome = static_cast<vicinal_erase_outcome>(done.value());
    return {};
  });
}

vicinal_status vicinal_index_erase_batch(vicinal_index* index, const uint64_t* labels, size_t count,
                                         uint64_t* erased) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    VICINAL_RETURN_IF_ERROR(require_array(labels, "labels", count));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_matrix("labels", count, 1, sizeof *labels));
    const Result<std::uint64_t> done = index->index.erase_batch(std::span(labels, count));
    if (!done) return done.status();
    if (erased != nullptr) *erased = done.value();
    return {};
  });
}

vicinal_status vicinal_index_size(const vicinal_index* index, uint64_t* size) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", size, "size"));
    *size = index->index.size();
    return {};
  });
}

vicinal_status vicinal_index_dimension(const vicinal_index* index, uint32_t* dimension) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", dimension, "dimension"));
    *dimension = index->index.dimension();
    return {};
  });
}

vicinal_status vicinal_index_get_options(const vicinal_index* index,
                                         vicinal_index_options* options) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", options, "options"));
    VICINAL_RETURN_IF_ERROR(vicinal::c_abi::check_result(options, "vicinal_index_options"));
    vicinal::c_abi::write_struct(options, vicinal::c_abi::to_struct(index->index.options()));
    return {};
  });
}

vicinal_status vicinal_index_reserve(vicinal_index* index, uint64_t count) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index"));
    return index->index.reserve(count);
  });
}

vicinal_status vicinal_index_for_each(const vicinal_index* index, vicinal_vector_visitor visit,
                                      void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", visit, "visit"));
    return index->index.for_each([&](Label label, std::span<const float> vector) {
      return visit(context, label, vector.data(), vector.size());
    });
  });
}

vicinal_status vicinal_index_node(const vicinal_index* index, uint64_t label,
                                  vicinal_node_visitor visit, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", visit, "visit"));
    const Result<Index::NodeView> view = index->index.node(label);
    if (!view) return view.status();
    show(view.value(), visit, context);
    return {};
  });
}

vicinal_status vicinal_index_for_each_node(const vicinal_index* index, vicinal_node_visitor visit,
                                           void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", visit, "visit"));
    return index->index.for_each_node(
        [&](const Index::NodeView& view) { return show(view, visit, context); });
  });
}
