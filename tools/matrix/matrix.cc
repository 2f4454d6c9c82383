#include "tools/matrix/matrix.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

// Rows are appended to the whole in pieces of about this size, so that only a piece is held twice.
constexpr std::size_t kPieceBytes = 4u << 20;

/// What a file's ending says: ".fvecs" of "a.fvecs" and of "a.fvecs.gz".
struct Ending {
  std::string format;
  bool packed = false;
};

Ending ending_of(std::string path) {
  Ending ending;
  ending.packed = path.ends_with(".gz");
  if (ending.packed) path.resize(path.size() - 3);
  const std::size_t slash = path.find_last_of('/');
  const std::size_t dot = path.find_last_of('.');
  const bool none = dot == std::string::npos || (slash != std::string::npos && dot < slash);
  if (!none) ending.format = path.substr(dot);
  return ending;
}

bool is_bin(const std::string& format) {
  return format == ".fbin" || format == ".u8bin" || format == ".i8bin";
}

bool is_known(const std::string& format) {
  return is_bin(format) || format == ".fvecs" || format == ".bvecs" || format == ".npy" ||
         format == ".jsonl";
}

Result<RowLayout> layout_of(const InputFile& file, const std::string& format) {
  if (format == ".fvecs") return vecs_layout(file, ElementKind::kFloat32);
  if (format == ".bvecs") return vecs_layout(file, ElementKind::kUint8);
  if (format == ".fbin") return bin_layout(file, ElementKind::kFloat32);
  if (format == ".u8bin") return bin_layout(file, ElementKind::kUint8);
  if (format == ".i8bin") return bin_layout(file, ElementKind::kInt8);
  return npy_layout(file);
}

/// A count of rows may be the very bytes with which gzip begins.
Packing packing_of(const Ending& ending) {
  if (ending.packed) return Packing::kGzip;
  return is_bin(ending.format) ? Packing::kNone : Packing::kByContent;
}

}  // namespace

Status check_dimension(const InputFile& file, std::uint64_t offset, std::int64_t dimension) {
  if (dimension >= 1 && dimension <= static_cast<std::int64_t>(kMaxDimension)) return {};
  return file.malformed(offset,
                        fmt::format("dimension {}, must be 1 to {}", dimension, kMaxDimension));
}

bool known_format(const std::string& word) {
  const std::string format = word.ends_with(".gz") ? word.substr(0, word.size() - 3) : word;
  return is_known("." + format);
}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path, const std::string& format) {
  const Ending ending = ending_of(format.empty() ? path : "." + format);
  if (path == "-" && format.empty()) {
    return Status::invalid_argument(fmt::format(
        "standard input has no ending: --format says what it is, known are {}", kFormatNames));
  }
  if (!is_known(ending.format)) {
    return Status::invalid_argument(
        fmt::format("{}: ending \"{}\" is no vector format; known are {}{}", path, ending.format,
                    kFormatNames, ending.format == ".ivecs" ? " (.ivecs is for truth only)" : ""));
  }
  Result<InputFile> file = InputFile::open(path, packing_of(ending));
  if (!file.ok()) return file.status();
  if (file->size() == 0) return file->malformed(0, "the file is empty");
  if (ending.format == ".jsonl") return make_jsonl_reader(std::move(*file));
  Result<RowLayout> layout = layout_of(*file, ending.format);
  if (!layout.ok()) return layout.status();
  return make_fixed_reader(std::move(*file), *layout);
}

Result<Matrix> load(const std::string& path, std::optional<std::uint64_t> max_rows) {
  if (path == "-") return Status::invalid_argument("standard input is not read here: say a file");
  Result<std::unique_ptr<Reader>> opened = Reader::open(path);
  if (!opened.ok()) return opened.status();
  Reader& reader = **opened;
  Matrix matrix;
  matrix.dimension = reader.dimension();
  matrix.note = reader.note();
  const std::uint64_t wanted =
      std::min(reader.rows(), max_rows.value_or(std::numeric_limits<std::uint64_t>::max()));
  matrix.values.reserve(wanted * matrix.dimension);
  const std::size_t piece =
      std::max<std::size_t>(1, kPieceBytes / (sizeof(float) * matrix.dimension));
  Batch batch;
  while (matrix.rows < wanted) {
    const std::size_t rows =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece, wanted - matrix.rows));
    if (Status s = reader.read(rows, batch); !s.ok()) return s;
    if (batch.rows == 0) break;
    matrix.values.insert(matrix.values.end(), batch.values.begin(), batch.values.end());
    matrix.rows += batch.rows;
  }
  return matrix;
}

Result<Truth> load_truth(const std::string& path) {
  if (path != "-" && ending_of(path).format != ".ivecs") {
    return Status::invalid_argument(fmt::format("{}: truth must be a .ivecs file", path));
  }
  Result<InputFile> file = InputFile::open(path);
  if (!file.ok()) return file.status();
  if (file->size() == 0) return file->malformed(0, "the file is empty");
  Result<RowLayout> layout = vecs_layout(*file, ElementKind::kInt32);
  if (!layout.ok()) return layout.status();
  Truth truth;
  truth.rows = layout->rows;
  truth.columns = layout->dimension;
  truth.values.resize(truth.rows * truth.columns);
  std::vector<std::int32_t> row(1 + truth.columns);
  for (std::uint64_t r = 0; r < truth.rows; ++r) {
    const std::uint64_t offset = r * layout->row_bytes();
    if (Status s = file->read_at(offset, row.data(), layout->row_bytes()); !s.ok()) return s;
    if (row[0] != static_cast<std::int32_t>(truth.columns)) {
      return file->malformed(
          offset, fmt::format("row {} has {} columns, row 0 has {}", r, row[0], truth.columns));
    }
    for (std::uint32_t c = 0; c < truth.columns; ++c) {
      if (row[1 + c] < 0) {
        return file->malformed(offset + 4 + 4ull * c,
                               fmt::format("row {}: neighbor {} is negative", r, row[1 + c]));
      }
    }
    std::copy(row.begin() + 1, row.end(),
              truth.values.begin() + static_cast<std::ptrdiff_t>(r * truth.columns));
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
