#include "bench/compare/dataset.h"

#include <fmt/core.h>

#include <cmath>
#include <filesystem>
#include <utility>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/exact.h"

namespace vicinal::bench {
namespace {

namespace fs = std::filesystem;

/// The file called `stem` in the folder, whichever of the formats it has.
Result<std::string> find_matrix(const std::string& folder, const char* stem) {
  for (const char* ending : {".npy", ".fvecs", ".bvecs", ".fbin", ".jsonl"}) {
    const fs::path path = fs::path(folder) / (std::string(stem) + ending);
    if (fs::exists(path)) return path.string();
  }
  return Status::not_found(
      fmt::format("{}: no file {} with one of {}", folder, stem, matrix::kFormatNames));
}

matrix::Matrix normalized(const matrix::Matrix& from) {
  matrix::Matrix to = from;
  for (std::uint64_t r = 0; r < to.rows; ++r) {
    float* row = to.values.data() + r * to.dimension;
    double squares = 0;
    for (std::uint32_t i = 0; i < to.dimension; ++i) squares += double{row[i]} * row[i];
    const float scale = squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0.0f;
    for (std::uint32_t i = 0; i < to.dimension; ++i) row[i] *= scale;
  }
  return to;
}

Status find_files(DatasetFiles& files) {
  for (auto [path, stem] : {std::pair(&files.base, "base"), std::pair(&files.query, "query")}) {
    if (!path->empty()) continue;
    Result<std::string> found = find_matrix(files.folder, stem);
    if (!found.ok()) return found.status();
    *path = *found;
  }
  const fs::path truth = fs::path(files.folder) / "truth.ivecs";
  if (files.truth.empty() && !files.folder.empty() && fs::exists(truth)) {
    files.truth = truth.string();
  }
  if (files.name.empty()) files.name = dataset_name(files.base);
  return {};
}

}  // namespace

Result<Dataset> load_dataset(const DatasetFiles& given, std::size_t k, unsigned threads) {
  DatasetFiles files = given;
  if (Status s = find_files(files); !s.ok()) return s;
  Dataset data;
  data.name = files.name;
  Result<matrix::Matrix> query = load_rows(files.query, 0);
  if (!query.ok()) return query.status();
  Result<matrix::Matrix> base = load_rows(files.base, 0);
  if (!base.ok()) return base.status();
  if (base->dimension != query->dimension) {
    return Status::invalid_argument(fmt::format("{}: dimension {}, {} has {}", files.query,
                                                query->dimension, files.base, base->dimension));
  }
  data.base = std::move(*base);
  data.query = std::move(*query);
  if (files.truth.empty()) {
    ExactResult exact = exact_neighbors(data.base, data.query, Metric::kCosine, k, threads,
                                        [](std::uint64_t) { return check_interrupted().ok(); });
    if (Status s = check_interrupted(); !s.ok()) return s;
    data.truth.rows = data.query.rows;
    data.truth.columns = static_cast<std::uint32_t>(exact.columns);
    data.truth.values = std::move(exact.rows);
    data.truth_computed = true;
  } else {
    Result<matrix::Truth> truth = matrix::load_truth(files.truth);
    if (!truth.ok()) return truth.status();
    data.truth = std::move(*truth);
  }
  if (data.truth.rows != data.query.rows || data.truth.columns < k) {
    return Status::invalid_argument(fmt::format("{}: {} x {} neighbors, {} queries x {} are wanted",
                                                files.truth, data.truth.rows, data.truth.columns,
                                                data.query.rows, k));
  }
  if (Status s = check_truth(data.truth, files.truth, data.base.rows); !s.ok()) return s;
  data.unit_base = normalized(data.base);
  data.unit_query = normalized(data.query);
  return data;
}

}  // namespace vicinal::bench
