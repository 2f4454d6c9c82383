#include "engine/options_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/check.h"
#include "graph/types.h"

namespace vicinal::engine {
namespace {

constexpr std::size_t kMaxNameBytes = 100;
constexpr std::uint64_t kMostThreads = 4096;
constexpr std::uint64_t kMostEf = 100000;

Status check_range(const char* field, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value >= low && value <= high) return {};
  return Status::invalid_argument(
      fmt::format("{} {} is outside {} to {}", field, value, low, high));
}

template <typename T>
Status disagree(std::string_view name, const char* field, const T& asked, const T& stored) {
  return Status::invalid_argument(
      fmt::format("{} {} asked, index \"{}\" has {}", field, asked, name, stored));
}

/// kCorruption where what is stored are no options that an index can have.
Status check_stored(std::string_view name, const persist::StoredOptions& stored) {
  const Status can_be = check_options(with_stored({}, stored));
  if (can_be.ok()) return {};
  return Status::corruption(
      fmt::format("stored options of index \"{}\": {}", name, can_be.message()));
}

}  // namespace

Status check_options(const IndexOptions& options) {
  VICINAL_RETURN_IF_ERROR(check_range("dimension", options.dimension, 1, 65536));
  VICINAL_RETURN_IF_ERROR(check_range("metric", static_cast<unsigned>(options.metric), 0, 2));
  VICINAL_RETURN_IF_ERROR(check_range("M", options.M, 4, 64));
  VICINAL_RETURN_IF_ERROR(
      check_range("ef_construction", options.ef_construction, options.M, 10000));
  VICINAL_RETURN_IF_ERROR(check_range("ef_search", options.ef_search, 1, kMostEf));
  VICINAL_RETURN_IF_ERROR(
      check_range("quantization", static_cast<unsigned>(options.quantization), 0, 1));
  VICINAL_RETURN_IF_ERROR(check_range("storage", static_cast<unsigned>(options.storage), 0, 2));
  if (!(options.repair_share >= 0 && options.repair_share <= 1)) {
    return Status::invalid_argument(
        fmt::format("repair_share {} is outside 0 to 1", options.repair_share));
  }
  VICINAL_RETURN_IF_ERROR(check_threads(options.threads));
  if (options.reserve >= graph::kMaxNodes) {
    return Status::invalid_argument(
        fmt::format("reserve {} is beyond {}, the most nodes", options.reserve, graph::kMaxNodes));
  }
  if (!options.vectors_in_memory && options.quantization == Quantization::kNone) {
    return Status::invalid_argument(
        "vectors_in_memory false needs quantization int8: there is nothing else to traverse");
  }
  return {};
}

Status check_options(const SearchOptions& options) {
  if (!(options.recall >= 0 && options.recall <= 1)) {
    return Status::invalid_argument(fmt::format("recall {}: must lie in 0 to 1", options.recall));
  }
  return check_range("ef_search", options.ef_search, 0, kMostEf);
}
Status check_options(const RadiusOptions& options) {
  return check_range("ef_search", options.ef_search, 0, kMostEf);
}
Status check_options(const RecallOptions& options) {
  VICINAL_RETURN_IF_ERROR(check_range("ef_search", options.ef_search, 0, kMostEf));
  return check_threads(options.threads);
}
Status check_options(const BatchOptions& options) { return check_threads(options.threads); }
Status check_threads(std::uint64_t threads) {
  return check_range("threads", threads, 0, kMostThreads);
}

Status check_index_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  if (name.empty() || name.size() > kMaxNameBytes) {
    return Status::invalid_argument(
        fmt::format("index name of {} bytes: 1 to {} are allowed", name.size(), kMaxNameBytes));
  }
  if (std::all_of(name.begin(), name.end(), allowed)) return {};
  return Status::invalid_argument(
      fmt::format("index name \"{}\": only letters, digits, '_', '-' and '.' are allowed", name));
}

Status check_agreement(std::string_view name, const IndexOptions& asked,
                       const persist::StoredOptions& stored) {
  VICINAL_RETURN_IF_ERROR(check_stored(name, stored));
  if (asked.dimension != 0 && asked.dimension != stored.dimension) {
    return disagree(name, "dimension", asked.dimension, stored.dimension);
  }
  if (asked.metric != stored.metric) {
    return disagree(name, "metric", metric_name(asked.metric), metric_name(stored.metric));
  }
  if (asked.M != 0 && asked.M != stored.M) return disagree(name, "M", asked.M, stored.M);
  if (asked.ef_construction != 0 && asked.ef_construction != stored.ef_construction) {
    return disagree(name, "ef_construction", asked.ef_construction, stored.ef_construction);
  }
  if (asked.ef_search != 0 && asked.ef_search != stored.ef_search) {
    return disagree(name, "ef_search", asked.ef_search, stored.ef_search);
  }
  if (asked.quantization != stored.quantization) {
    return disagree(name, "quantization", quantization_name(asked.quantization),
                    quantization_name(stored.quantization));
  }
  if (asked.storage != stored.storage) {
    return disagree(name, "storage", storage_name(asked.storage), storage_name(stored.storage));
  }
  if (asked.seed != 0 && asked.seed != stored.seed) {
    return disagree(name, "seed", asked.seed, stored.seed);
  }
  return {};
}

Status check_tuning(std::string_view name, const IndexOptions& tuning,
                    const persist::StoredOptions& stored) {
  VICINAL_RETURN_IF_ERROR(check_stored(name, stored));
  const IndexOptions defaults;
  IndexOptions asked = tuning;
  if (asked.metric == defaults.metric) asked.metric = stored.metric;
  if (asked.M == defaults.M) asked.M = stored.M;
  if (asked.ef_construction == defaults.ef_construction) asked.ef_construction = 0;
  if (asked.ef_search == defaults.ef_search) asked.ef_search = 0;
  if (asked.quantization == defaults.quantization) asked.quantization = stored.quantization;
  if (asked.storage == defaults.storage) asked.storage = stored.storage;
  if (asked.seed == defaults.seed) asked.seed = 0;
  return check_agreement(name, asked, stored);
}

persist::StoredOptions stored_part(const IndexOptions& options) {
  return {options.dimension, options.metric,       options.M,    options.ef_construction,
          options.ef_search, options.quantization, options.seed, options.storage};
}

IndexOptions with_stored(const IndexOptions& tuning, const persist::StoredOptions& stored) {
  IndexOptions options = tuning;
  options.dimension = stored.dimension;
  options.metric = stored.metric;
  options.M = stored.M;
  options.ef_construction = stored.ef_construction;
  options.ef_search = stored.ef_search;
  options.quantization = stored.quantization;
  options.seed = stored.seed;
  options.storage = stored.storage;
  return options;
}

}  // namespace vicinal::engine
