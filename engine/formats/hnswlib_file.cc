#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "engine/formats/hnswlib_layout.h"
#include "engine/formats/path_source.h"
#include "vicinal/hnswlib.h"

namespace vicinal {
namespace {

constexpr double kUnitTolerance = 1e-4;

/// hnswlib keeps its mark in the byte behind the two that count the links of level 0.
bool is_deleted(const std::byte* row) { return (row[2] & std::byte{1}) != std::byte{0}; }

bool has_norm_one(const std::byte* vector, std::uint32_t dimension) {
  double sum = 0;
  for (std::uint32_t i = 0; i < dimension; ++i) {
    float component = 0;
    std::memcpy(&component, vector + 4ull * i, sizeof component);
    sum += static_cast<double>(component) * component;
  }
  return std::abs(std::sqrt(sum) - 1) <= kUnitTolerance;
}

/// What only the rows tell: how many are deleted, and whether the others have norm 1.
Status walk_rows(const HnswlibSource& source, formats::HnswlibHeader& header) {
  HnswlibInfo& info = header.info;
  const internal::HnswlibLayout& layout = header.layout;
  const bool graph = info.kind == HnswlibKind::kGraph;
  bool unit = info.element == HnswlibElement::kFloat32;
  // Of a brute-force index there is nothing else to learn.
  if (!graph && !unit) return {};
  formats::Window window(source);
  for (std::uint64_t row = 0; row < info.rows && (graph || unit); ++row) {
    const std::byte* bytes = nullptr;
    const std::uint64_t offset = layout.data_offset + row * layout.row_bytes;
    if (Status s = window.bytes(offset, layout.row_bytes, bytes); !s.ok()) return s;
    if (graph && is_deleted(bytes)) {
      ++info.deleted;
    } else if (unit) {
      unit = has_norm_one(bytes + layout.vector_at, info.dimension);
    }
  }
  if (unit && info.rows > info.deleted) info.metric = Metric::kCosine;
  return {};
}

}  // namespace

Result<HnswlibFile> HnswlibFile::open(const std::string& path, const HnswlibOptions& options) {
  Result<HnswlibSource> source = formats::open_path(path);
  if (!source.ok()) return source.status();
  return open(std::move(*source), options);
}

Result<HnswlibFile> HnswlibFile::open(HnswlibSource source, const HnswlibOptions& options) {
  if (!source.read) {
    return Status::invalid_argument(fmt::format("{}: a source without `read`", source.name));
  }
  Result<formats::HnswlibHeader> header = formats::read_header(source, options);
  if (!header.ok()) return header.status();
  if (Status s = formats::check_links(source, *header); !s.ok()) return s;
  if (Status s = walk_rows(source, *header); !s.ok()) return s;
  return HnswlibFile(std::move(source), header->info, header->layout);
}

Status HnswlibFile::read(std::uint64_t first, std::size_t count, HnswlibRows& rows) const {
  const std::uint64_t rest = first < info_.rows ? info_.rows - first : 0;
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(count, rest));
  const std::size_t dimension = info_.dimension;
  rows.values.resize(n * dimension);
  rows.labels.resize(n);
  rows.deleted.resize(n);
  formats::Window window(source_);
  for (std::size_t r = 0; r < n; ++r) {
    const std::byte* bytes = nullptr;
    const std::uint64_t offset = layout_.data_offset + (first + r) * layout_.row_bytes;
    if (Status s = window.bytes(offset, layout_.row_bytes, bytes); !s.ok()) return s;
    const std::byte* const vector = bytes + layout_.vector_at;
    float* const values = rows.values.data() + r * dimension;
    if (info_.element == HnswlibElement::kFloat32) {
      std::memcpy(values, vector, 4 * dimension);
    } else {
      std::transform(vector, vector + dimension, values,
                     [](std::byte component) { return static_cast<float>(component); });
    }
    std::memcpy(&rows.labels[r], vector + layout_.vector_bytes, sizeof(Label));
    rows.deleted[r] = info_.kind == HnswlibKind::kGraph && is_deleted(bytes) ? 1 : 0;
  }
  return {};
}

std::uint64_t HnswlibFile::offset_of(std::uint64_t row) const {
  return layout_.data_offset + row * layout_.row_bytes + layout_.vector_at;
}

}  // namespace vicinal
