#include "engine/c/convert.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/process.h"
#include "engine/c/defaults.h"
#include "engine/c/handles.h"
#include "engine/c/structs.h"

namespace vicinal::c_abi {
namespace {

/// What the caller gave over the defaults.
template <typename T>
Status read(const T* given, const char* name, T& value) {
  value = defaults<T>();
  VICINAL_RETURN_IF_ERROR(read_struct(given, name, value));
  if constexpr (requires { value.reserved; }) {
    if (value.reserved != 0) {
      return Status::invalid_argument(std::string(name) + "::reserved is " +
                                      std::to_string(value.reserved) + ", not 0");
    }
  }
  return {};
}

/// `value` as one of the `count` enumerators of `Enum`.
template <typename Enum>
Status read_enum(const char* field, std::int32_t value, std::int32_t count, Enum& enumerator) {
  if (value < 0 || value >= count) {
    return Status::invalid_argument(std::string(field) + " " + std::to_string(value) +
                                    " is outside 0 to " + std::to_string(count - 1));
  }
  enumerator = static_cast<Enum>(value);
  return {};
}

/// The filter of searches of both kinds.
template <typename T>
Filter to_filter(const T& given) {
  Filter filter;
  if (given.predicate != nullptr) {
    filter.predicate = [predicate = given.predicate, context = given.predicate_context](
                           Label label) { return predicate(context, label); };
  }
  if (given.labels != nullptr) filter.labels = given.labels->set;
  return filter;
}

/// The context is released with the last copy of the callback.
EventCallback to_event_callback(vicinal_event_callback callback, void* context,
                                vicinal_release release) {
  std::shared_ptr<void> owned;
  if (release != nullptr) {
    owned =
        std::shared_ptr<void>(context, [release, process = internal::OwnProcess()](void* given) {
          if (!process.left()) release(given);
        });
  }
  if (callback == nullptr) return {};
  return [callback, context, owned = std::move(owned)](const Event& event) {
    vicinal_event seen = {};
    seen.size = sizeof seen;
    seen.kind = static_cast<vicinal_event_kind>(event.kind);
    seen.severity = static_cast<vicinal_severity>(event.severity);
    seen.index = event.index.c_str();
    seen.message = event.message.c_str();
    seen.status_message = event.status.message().c_str();
    seen.status = static_cast<vicinal_status>(event.status.code());
    seen.value = event.value;
    seen.limit = event.limit;
    callback(context, &seen);
  };
}

}  // namespace

ProgressCallback to_progress(vicinal_progress_callback callback, void* context) {
  if (callback == nullptr) return {};
  return [callback, context](const Progress& progress) {
    const vicinal_progress seen = {sizeof seen, progress.phase, progress.done, progress.total};
    return callback(context, &seen);
  };
}

vicinal_index_options to_struct(const IndexOptions& from) {
  vicinal_index_options options = {};
  options.size = sizeof options;
  options.dimension = from.dimension;
  options.metric = static_cast<vicinal_metric>(from.metric);
  options.M = from.M;
  options.ef_construction = from.ef_construction;
  options.ef_search = from.ef_search;
  options.quantization = static_cast<vicinal_quantization>(from.quantization);
  options.seed = from.seed;
  options.reserve = from.reserve;
  options.repair_share = from.repair_share;
  options.threads = from.threads;
  options.vectors_in_memory = from.vectors_in_memory;
  options.rebuild_on_upsert = from.rebuild_on_upsert;
  options.salvage = from.salvage;
  options.storage = static_cast<vicinal_storage>(from.storage);
  return options;
}

Result<IndexOptions> read_index_options(const vicinal_index_options* given) {
  vicinal_index_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_index_options", from));
  IndexOptions options;
  options.dimension = from.dimension;
  VICINAL_RETURN_IF_ERROR(read_enum("metric", from.metric, 3, options.metric));
  options.M = from.M;
  options.ef_construction = from.ef_construction;
  options.ef_search = from.ef_search;
  VICINAL_RETURN_IF_ERROR(read_enum("quantization", from.quantization, 2, options.quantization));
  options.seed = from.seed;
  VICINAL_RETURN_IF_ERROR(read_enum("storage", from.storage, 3, options.storage));
  options.reserve = from.reserve;
  options.repair_share = from.repair_share;
  options.threads = from.threads;
  options.vectors_in_memory = from.vectors_in_memory != 0;
  options.rebuild_on_upsert = from.rebuild_on_upsert != 0;
  options.salvage = from.salvage != 0;
  options.progress = to_progress(from.progress, from.progress_context);
  return options;
}

Result<StoreOptions> read_store_options(const vicinal_store_options* given) {
  vicinal_store_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_store_options", from));
  StoreOptions options;
  options.on_event = to_event_callback(from.on_event, from.event_context, from.event_release);
  VICINAL_RETURN_IF_ERROR(read_enum("durability", from.durability, 3, options.durability));
  options.create = from.create != 0;
  options.read_only = from.read_only != 0;
  options.background = from.background != 0;
  options.map_bytes = from.map_bytes;
  options.max_map_bytes = from.max_map_bytes;
  options.checkpoint_bytes = from.checkpoint_bytes;
  options.file_mode = from.file_mode;
  return options;
}

Result<BatchOptions> read_batch_options(const vicinal_batch_options* given) {
  vicinal_batch_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_batch_options", from));
  return BatchOptions{from.threads, to_progress(from.progress, from.progress_context)};
}

namespace {

// Later than any clock tells: no deadline.
std::chrono::steady_clock::time_point deadline_in(std::uint64_t microseconds) {
  constexpr std::uint64_t kNever = std::uint64_t{1} << 50;  // 35 years
  if (microseconds >= kNever) return std::chrono::steady_clock::time_point::max();
  return std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
}

}  // namespace

Result<SearchOptions> read_search_options(const vicinal_search_options* given) {
  SearchOptions options;
  if (given == nullptr) return options;
  vicinal_search_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_search_options", from));
  options.ef_search = from.ef_search;
  options.filter = to_filter(from);
  options.exact = from.exact != 0;
  options.recall = from.recall;
  options.max_distances = from.max_distances;
  if (from.timeout_us != 0) options.deadline = deadline_in(from.timeout_us);
  return options;
}

Result<RadiusOptions> read_radius_options(const vicinal_radius_options* given) {
  vicinal_radius_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_radius_options", from));
  RadiusOptions options;
  options.max_hits = from.max_hits;
  options.ef_search = from.ef_search;
  options.filter = to_filter(from);
  options.exact = from.exact != 0;
  return options;
}

Result<RepairOptions> read_repair_options(const vicinal_repair_options* given) {
  vicinal_repair_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_repair_options", from));
  return RepairOptions{from.slice, to_progress(from.progress, from.progress_context)};
}

Result<ValidateOptions> read_validate_options(const vicinal_validate_options* given,
                                              vicinal_validate_options& told) {
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_validate_options", told));
  return ValidateOptions{told.deep != 0, told.max_messages,
                         to_progress(told.progress, told.progress_context)};
}

Result<RecallOptions> read_recall_options(const vicinal_recall_options* given) {
  vicinal_recall_options from;
  VICINAL_RETURN_IF_ERROR(read(given, "vicinal_recall_options", from));
  return RecallOptions{from.samples, from.k, from.ef_search, from.seed, from.threads};
}

}  // namespace vicinal::c_abi
