// Formats whose rows all have one size: the layouts of fvecs, bvecs and fbin, and the reader of any
// layout.
#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

// Raw bytes are read in pieces of about this size and widened row by row.
constexpr std::size_t kRawBytes = 1u << 20;

Result<std::int32_t> read_int32(const InputFile& file, std::uint64_t offset) {
  std::int32_t value = 0;
  if (Status s = file.read_at(offset, &value, sizeof value); !s.ok()) return s;
  return value;
}

class FixedReader final : public Reader {
 public:
  FixedReader(InputFile file, const RowLayout& layout)
      : Reader(file.path()), file_(std::move(file)), layout_(layout) {
    dimension_ = layout.dimension;
    rows_ = layout.rows;
    note_ = layout.note;
    origin_ = layout.origin;
    has_labels_ = layout.labels_offset != 0;
  }

  Status read(std::size_t max_rows, Batch& batch) override {
    batch.first_row = next_;
    batch.rows = static_cast<std::size_t>(std::min<std::uint64_t>(max_rows, rows_ - next_));
    if (Status s = read_labels(batch); !s.ok()) return s;
    batch.values.resize(batch.rows * dimension_);
    const std::size_t piece = std::max<std::size_t>(1, kRawBytes / layout_.row_bytes());
    for (std::size_t done = 0; done < batch.rows;) {
      const std::size_t rows = std::min(piece, batch.rows - done);
      raw_.resize(rows * layout_.row_bytes());
      if (Status s = file_.read_at(offset_of(next_), raw_.data(), raw_.size()); !s.ok()) return s;
      for (std::size_t r = 0; r < rows; ++r) {
        const std::byte* row = raw_.data() + r * layout_.row_bytes();
        if (Status s = check_row(next_ + r, row); !s.ok()) return s;
        const std::optional<OutOfRange> beyond =
            widen(row + layout_.prefix_bytes(), layout_.element, dimension_,
                  batch.values.data() + (done + r) * dimension_);
        if (!beyond.has_value()) continue;
        return Status::invalid_argument(
            fmt::format("{}: {}: component {} is {}, out of float32's range", path_,
                        locate(next_ + r), beyond->at, beyond->value));
      }
      done += rows;
      next_ += rows;
    }
    return {};
  }

  std::string locate(std::uint64_t row) const override {
    return fmt::format("row {} at byte {}", row, offset_of(row));
  }

 private:
  std::uint64_t offset_of(std::uint64_t row) const {
    return layout_.data_offset + row * layout_.row_bytes();
  }

  Status read_labels(Batch& batch) const {
    batch.labels.resize(has_labels_ ? batch.rows : 0);
    if (batch.labels.empty()) return {};
    const std::uint64_t offset = layout_.labels_offset + next_ * sizeof(Label);
    Status read = file_.read_at(offset, batch.labels.data(), batch.labels.size() * sizeof(Label));
    if (!read.ok()) return read;
    for (std::size_t r = 0; r < batch.rows; ++r) {
      const auto label = static_cast<std::int64_t>(batch.labels[r]);
      if (label >= 0) continue;
      return file_.malformed(offset + r * sizeof(Label),
                             fmt::format("row {}: label {} is negative", next_ + r, label));
    }
    return {};
  }

  Status check_row(std::uint64_t number, const std::byte* row) const {
    if (!layout_.dimension_before_row) return {};
    std::int32_t dimension = 0;
    std::memcpy(&dimension, row, sizeof dimension);
    if (dimension == static_cast<std::int32_t>(dimension_)) return {};
    return file_.malformed(offset_of(number), fmt::format("row {} has dimension {}, row 0 has {}",
                                                          number, dimension, dimension_));
  }

  InputFile file_;
  RowLayout layout_;
  std::vector<std::byte> raw_;
  std::uint64_t next_ = 0;
};

}  // namespace

Result<RowLayout> vecs_layout(const InputFile& file, ElementKind kind) {
  Result<std::int32_t> dimension = read_int32(file, 0);
  if (!dimension.ok()) return dimension.status();
  if (Status s = check_dimension(file, 0, *dimension); !s.ok()) return s;
  RowLayout layout;
  layout.dimension = static_cast<std::uint32_t>(*dimension);
  layout.dimension_before_row = true;
  layout.element.kind = kind;
  layout.rows = file.size() / layout.row_bytes();
  const std::uint64_t rest = file.size() % layout.row_bytes();
  if (rest != 0) {
    return file.malformed(
        layout.rows * layout.row_bytes(),
        fmt::format("row {} is truncated: {} of {} bytes (dimension {}, file of {} bytes)",
                    layout.rows, rest, layout.row_bytes(), layout.dimension, file.size()));
  }
  return layout;
}

Result<RowLayout> bin_layout(const InputFile& file, ElementKind kind) {
  Result<std::int32_t> rows = read_int32(file, 0);
  if (!rows.ok()) return rows.status();
  Result<std::int32_t> dimension = read_int32(file, 4);
  if (!dimension.ok()) return dimension.status();
  if (*rows < 0) return file.malformed(0, fmt::format("{} rows declared", *rows));
  if (Status s = check_dimension(file, 4, *dimension); !s.ok()) return s;
  RowLayout layout;
  layout.data_offset = 8;
  layout.element.kind = kind;
  layout.rows = static_cast<std::uint64_t>(*rows);
  layout.dimension = static_cast<std::uint32_t>(*dimension);
  // At most 2^31 * 2^18 bytes: no overflow.
  const std::uint64_t declared = layout.data_offset + layout.rows * layout.row_bytes();
  if (declared > file.size()) {
    const std::uint64_t row = (file.size() - layout.data_offset) / layout.row_bytes();
    return file.malformed(
        layout.data_offset + row * layout.row_bytes(),
        fmt::format("row {} is truncated: {} rows of dimension {} declared need {} bytes, the file "
                    "has {}",
                    row, layout.rows, layout.dimension, declared, file.size()));
  }
  if (declared < file.size()) {
    return file.malformed(declared, fmt::format("{} bytes after the {} declared rows",
                                                file.size() - declared, layout.rows));
  }
  return layout;
}

std::unique_ptr<Reader> make_fixed_reader(InputFile file, const RowLayout& layout) {
  return std::make_unique<FixedReader>(std::move(file), layout);
}

}  // namespace vicinal::matrix
