// Exact neighbors: ivecs, and the array "neighbors" of ann-benchmarks' HDF5 files.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "tools/matrix/formats.h"
#include "tools/matrix/hdf5.h"
#include "tools/matrix/matrix.h"

namespace vicinal::matrix {
namespace {

Result<RowLayout> truth_layout(InputFile& file, bool hdf5) {
  if (!hdf5) return vecs_layout(file, ElementKind::kInt32);
  Wanted wanted;
  wanted.array = "neighbors";
  Result<RowLayout> layout = hdf5_layout(file, wanted);
  if (!layout.ok() || layout->element.whole()) return layout;
  return file.malformed(layout->data_offset, "neighbors are no whole numbers");
}

/// The numbers of one row, to `to`.
Status take_row(const InputFile& file, const RowLayout& layout, std::uint64_t number,
                const std::vector<std::byte>& bytes, std::int32_t* to) {
  const std::uint64_t offset = layout.data_offset + number * layout.row_bytes();
  if (layout.dimension_before_row) {
    std::int32_t columns = 0;
    std::memcpy(&columns, bytes.data(), sizeof columns);
    if (columns != static_cast<std::int32_t>(layout.dimension)) {
      return file.malformed(offset, fmt::format("row {} has {} columns, row 0 has {}", number,
                                                columns, layout.dimension));
    }
  }
  for (std::uint32_t c = 0; c < layout.dimension; ++c) {
    const std::size_t at = layout.prefix_bytes() + c * layout.element.bytes();
    const std::optional<std::uint64_t> neighbor = to_label(bytes.data() + at, layout.element);
    if (!neighbor.has_value()) {
      float value = 0;
      widen(bytes.data() + at, layout.element, 1, &value);
      return file.malformed(offset + at,
                            fmt::format("row {}: neighbor {} is negative", number, value));
    }
    if (*neighbor > std::numeric_limits<std::int32_t>::max()) {
      return file.malformed(offset + at,
                            fmt::format("row {}: neighbor {} is above {}", number, *neighbor,
                                        std::numeric_limits<std::int32_t>::max()));
    }
    to[c] = static_cast<std::int32_t>(*neighbor);
  }
  return {};
}

}  // namespace

Result<Truth> load_truth(const std::string& path) {
  const std::string plain = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  const bool hdf5 = plain.ends_with(".hdf5") || plain.ends_with(".h5");
  if (path != "-" && !hdf5 && !plain.ends_with(".ivecs")) {
    return Status::invalid_argument(fmt::format("{}: truth must be a .ivecs or .hdf5 file", path));
  }
  Result<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  if (file->size() == 0) return file->malformed(0, "the file is empty");
  Result<RowLayout> layout = truth_layout(*file, hdf5);
  if (!layout.ok()) return layout.status();
  Truth truth;
  truth.rows = layout->rows;
  truth.columns = layout->dimension;
  truth.values.resize(truth.rows * truth.columns);
  std::vector<std::byte> bytes(layout->row_bytes());
  for (std::uint64_t r = 0; r < truth.rows; ++r) {
    const std::uint64_t offset = layout->data_offset + r * layout->row_bytes();
    if (Status s = file->read_at(offset, bytes.data(), bytes.size()); !s.ok()) return s;
    std::int32_t* const to = truth.values.data() + r * truth.columns;
    if (Status s = take_row(*file, *layout, r, bytes, to); !s.ok()) return s;
  }
  return truth;
}

double overlap(std::span<const std::int32_t> truth, std::span<const Label> found, std::size_t k) {
  k = std::min(k, truth.size());
  if (k == 0) return 1;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < k; ++i) {
    const Label label = static_cast<Label>(truth[i]);
    if (std::find(found.begin(), found.end(), label) != found.end()) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(k);
}

}  // namespace vicinal::matrix
