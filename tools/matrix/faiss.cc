// faiss: files of write_index() with an IndexFlat, or with an IndexIDMap around one.
//
// faiss documents these files by its source only (index_write.cpp); the parts that are read here
// have not changed since they were introduced. An index is four letters that name its kind, a header
// (dimension int32, rows int64, two int64 that mean nothing, trained uint8, metric int32, and a
// float32 more where the metric is neither of the usual two) and what the kind adds: a flat index
// the number of its floats (uint64) and those; an IDMap the index inside and the number of its
// labels (uint64) and those (int64).
#include <fmt/core.h>

#include <string_view>

#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

struct Header {
  std::uint64_t at = 0;  ///< byte of the four letters
  std::string kind;
  std::int32_t dimension = 0;
  std::uint64_t rows = 0;
  std::int32_t metric = 0;
  std::uint64_t end = 0;  ///< byte behind it

  bool maps_ids() const { return kind == "IxMp" || kind == "IxM2"; }
  bool flat() const { return kind == "IxF2" || kind == "IxFI" || kind == "IxFl"; }
};

constexpr std::uint64_t kDimensionAt = 4;
constexpr std::uint64_t kRowsAt = 8;
constexpr std::uint64_t kMetricAt = 33;
constexpr std::uint64_t kHeaderBytes = 37;

template <typename T>
Status read_number(const InputFile& file, std::uint64_t offset, T& value) {
  return file.read_at(offset, &value, sizeof value);
}

Result<Header> read_header(const InputFile& file, std::uint64_t at) {
  Header header;
  header.at = at;
  header.kind.resize(4);
  if (Status s = file.read_at(at, header.kind.data(), 4); !s.ok()) return s;
  if (!header.maps_ids() && !header.flat()) {
    for (char& c : header.kind) c = c >= ' ' && c <= '~' ? c : '?';
    return file.malformed(at, fmt::format("\"{}\" is no flat index of faiss (IxF2, IxFI, IxFl, or "
                                          "IxMp or IxM2 around one)",
                                          header.kind));
  }
  if (Status s = read_number(file, at + kDimensionAt, header.dimension); !s.ok()) return s;
  if (Status s = read_number(file, at + kRowsAt, header.rows); !s.ok()) return s;
  if (Status s = read_number(file, at + kMetricAt, header.metric); !s.ok()) return s;
  if (Status s = check_dimension(file, at + kDimensionAt, header.dimension); !s.ok()) return s;
  header.end = at + kHeaderBytes + (header.metric > 1 ? sizeof(float) : 0);
  return header;
}

/// The place of `count` items of `bytes` bytes each behind their number at `at`, which must be it.
Result<std::uint64_t> items(const InputFile& file, std::uint64_t at, std::uint64_t count,
                            std::uint64_t bytes, const char* what) {
  std::uint64_t stored = 0;
  if (Status s = read_number(file, at, stored); !s.ok()) return s;
  if (stored != count) {
    return file.malformed(at, fmt::format("{} {}, the header says {}", stored, what, count));
  }
  const std::uint64_t from = at + sizeof stored;
  if (count > (file.size() - from) / bytes) {
    return file.malformed(
        at, fmt::format("{} {} declared, the file ends at byte {}", count, what, file.size()));
  }
  return from;
}

Origin origin_of(std::int32_t metric) {
  Origin origin;
  if (metric == 0) {
    origin.metric = Metric::kInnerProduct;
  } else if (metric == 1) {
    origin.metric = Metric::kSquaredL2;
  } else {
    origin.no_metric =
        fmt::format("its metric is faiss's number {}, which no index here has", metric);
  }
  return origin;
}

}  // namespace

Result<RowLayout> faiss_layout(const InputFile& file) {
  Result<Header> outer = read_header(file, 0);
  if (!outer.ok()) return outer.status();
  Result<Header> flat = outer->maps_ids() ? read_header(file, outer->end) : outer;
  if (!flat.ok()) return flat.status();
  if (!flat->flat()) return file.malformed(flat->at, "an IDMap inside an IDMap");
  if (flat->dimension != outer->dimension || flat->rows != outer->rows) {
    return file.malformed(flat->at + kDimensionAt,
                          fmt::format("{} rows of dimension {} inside an IDMap of {} and {}",
                                      flat->rows, flat->dimension, outer->rows, outer->dimension));
  }
  RowLayout layout;
  layout.dimension = static_cast<std::uint32_t>(flat->dimension);
  layout.rows = flat->rows;
  layout.origin = origin_of(flat->metric);
  if (layout.rows > file.size() / layout.row_bytes()) {
    return file.malformed(flat->at + kRowsAt,
                          fmt::format("{} rows of {} bytes, the file has {} bytes", layout.rows,
                                      layout.row_bytes(), file.size()));
  }
  const std::uint64_t floats = layout.rows * layout.dimension;
  Result<std::uint64_t> data = items(file, flat->end, floats, sizeof(float), "floats");
  if (!data.ok()) return data.status();
  layout.data_offset = *data;
  std::uint64_t end = *data + floats * sizeof(float);
  if (outer->maps_ids()) {
    Result<std::uint64_t> labels = items(file, end, layout.rows, sizeof(Label), "labels");
    if (!labels.ok()) return labels.status();
    layout.labels_offset = *labels;
    end = *labels + layout.rows * sizeof(Label);
  }
  if (end != file.size()) {
    return file.malformed(end, fmt::format("{} bytes after the index", file.size() - end));
  }
  return layout;
}

}  // namespace vicinal::matrix
