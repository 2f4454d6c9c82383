#include "tools/matrix/matrix.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tools/matrix/formats.h"
#include "tools/matrix/hdf5.h"

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

bool is_hdf5(const std::string& format) { return format == ".hdf5" || format == ".h5"; }

bool is_known(const std::string& format) {
  return is_bin(format) || is_hdf5(format) || format == ".fvecs" || format == ".bvecs" ||
         format == ".npy" || format == ".npz" || format == ".jsonl" || format == ".hnswlib" ||
         format == ".faiss";
}

/// May replace `file`.
Result<RowLayout> layout_of(InputFile& file, const std::string& format, const Wanted& wanted) {
  if (is_hdf5(format)) return hdf5_layout(file, wanted);
  if (format == ".npz") return npz_layout(file, wanted);
  if (format == ".faiss") return faiss_layout(file);
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
  const bool counted = is_bin(ending.format) || ending.format == ".hnswlib";
  return counted ? Packing::kNone : Packing::kByContent;
}

Result<std::unique_ptr<Reader>> make_reader(InputFile file, const std::string& format,
                                            const Wanted& wanted) {
  if (format == ".hnswlib") return make_hnswlib_reader(std::move(file), wanted);
  if (format == ".jsonl") return make_jsonl_reader(std::move(file));
  Result<RowLayout> layout = layout_of(file, format, wanted);
  if (!layout.ok()) return layout.status();
  return make_fixed_reader(std::move(file), *layout);
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

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path, const Wanted& wanted) {
  const Ending ending = ending_of(wanted.format.empty() ? path : "." + wanted.format);
  if (path == "-" && wanted.format.empty()) {
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
  Result<std::unique_ptr<Reader>> reader = make_reader(std::move(*file), ending.format, wanted);
  if (reader.ok() && wanted.dimension != 0 && wanted.dimension != (*reader)->dimension()) {
    return Status::invalid_argument(fmt::format("{}: dimension {}, {} was wanted", path,
                                                (*reader)->dimension(), wanted.dimension));
  }
  return reader;
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

}  // namespace vicinal::matrix
