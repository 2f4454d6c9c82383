// The defaults of every struct, and its initialiser.
#include "engine/c/defaults.h"

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/structs.h"
#include "vicinal/c/index.h"
#include "vicinal/c/maintenance.h"
#include "vicinal/c/search.h"
#include "vicinal/c/stats.h"

namespace vicinal::c_abi {

template <>
vicinal_index_options defaults() {
  return to_struct(IndexOptions());
}

template <>
vicinal_store_options defaults() {
  const StoreOptions from;
  vicinal_store_options options = {};
  options.size = sizeof options;
  options.durability = static_cast<vicinal_durability>(from.durability);
  options.create = from.create;
  options.read_only = from.read_only;
  options.background = from.background;
  options.map_bytes = from.map_bytes;
  options.max_map_bytes = from.max_map_bytes;
  options.checkpoint_bytes = from.checkpoint_bytes;
  options.file_mode = from.file_mode;
  return options;
}

template <>
vicinal_batch_options defaults() {
  vicinal_batch_options options = {};
  options.size = sizeof options;
  options.threads = BatchOptions().threads;
  return options;
}

template <>
vicinal_search_options defaults() {
  const SearchOptions from;
  vicinal_search_options options = {};
  options.size = sizeof options;
  options.ef_search = from.ef_search;
  options.exact = from.exact;
  return options;
}

template <>
vicinal_radius_options defaults() {
  const RadiusOptions from;
  vicinal_radius_options options = {};
  options.size = sizeof options;
  options.max_hits = from.max_hits;
  options.ef_search = from.ef_search;
  options.exact = from.exact;
  return options;
}

template <>
vicinal_repair_options defaults() {
  vicinal_repair_options options = {};
  options.size = sizeof options;
  options.slice = RepairOptions().slice;
  return options;
}

template <>
vicinal_validate_options defaults() {
  const ValidateOptions from;
  vicinal_validate_options options = {};
  options.size = sizeof options;
  options.deep = from.deep;
  options.max_messages = from.max_messages;
  return options;
}

template <>
vicinal_recall_options defaults() {
  const RecallOptions from;
  vicinal_recall_options options = {};
  options.size = sizeof options;
  options.samples = from.samples;
  options.k = from.k;
  options.ef_search = from.ef_search;
  options.seed = from.seed;
  options.threads = from.threads;
  return options;
}

namespace {

/// Results begin as zeros.
template <typename T>
vicinal_status init(T* target, const char* argument, const char* name, std::size_t size,
                    const T& value = {}) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(target, argument));
    VICINAL_RETURN_IF_ERROR(check_size(name, size));
    write_sized(target, size, value);
    return {};
  });
}

template <typename T>
vicinal_status init_options(T* options, const char* name, std::size_t size) {
  return init(options, "options", name, size, defaults<T>());
}

}  // namespace
}  // namespace vicinal::c_abi

using vicinal::c_abi::init;
using vicinal::c_abi::init_options;

vicinal_status vicinal_index_options_init(vicinal_index_options* options, size_t size) {
  return init_options(options, "vicinal_index_options", size);
}
vicinal_status vicinal_store_options_init(vicinal_store_options* options, size_t size) {
  return init_options(options, "vicinal_store_options", size);
}
vicinal_status vicinal_batch_options_init(vicinal_batch_options* options, size_t size) {
  return init_options(options, "vicinal_batch_options", size);
}
vicinal_status vicinal_search_options_init(vicinal_search_options* options, size_t size) {
  return init_options(options, "vicinal_search_options", size);
}
vicinal_status vicinal_radius_options_init(vicinal_radius_options* options, size_t size) {
  return init_options(options, "vicinal_radius_options", size);
}
vicinal_status vicinal_repair_options_init(vicinal_repair_options* options, size_t size) {
  return init_options(options, "vicinal_repair_options", size);
}
vicinal_status vicinal_validate_options_init(vicinal_validate_options* options, size_t size) {
  return init_options(options, "vicinal_validate_options", size);
}
vicinal_status vicinal_recall_options_init(vicinal_recall_options* options, size_t size) {
  return init_options(options, "vicinal_recall_options", size);
}

vicinal_status vicinal_batch_result_init(vicinal_batch_result* result, size_t size) {
  return init(result, "result", "vicinal_batch_result", size);
}
vicinal_status vicinal_repair_result_init(vicinal_repair_result* result, size_t size) {
  return init(result, "result", "vicinal_repair_result", size);
}
vicinal_status vicinal_search_counters_init(vicinal_search_counters* counters, size_t size) {
  return init(counters, "counters", "vicinal_search_counters", size);
}
vicinal_status vicinal_validate_report_init(vicinal_validate_report* report, size_t size) {
  return init(report, "report", "vicinal_validate_report", size);
}
vicinal_status vicinal_stats_init(vicinal_stats* stats, size_t size) {
  return init(stats, "stats", "vicinal_stats", size);
}
vicinal_status vicinal_stored_stats_init(vicinal_stored_stats* stats, size_t size) {
  return init(stats, "stats", "vicinal_stored_stats", size);
}
