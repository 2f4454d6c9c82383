// Saved indexes of hnswlib: their rows with their labels, without those that are deleted.
#include "vicinal/hnswlib.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

// Rows are read in pieces of about this size and those that are not deleted kept.
constexpr std::size_t kVectorsReadBytes = 1u << 20;

std::string note_of(const HnswlibInfo& info) {
  std::string note = info.kind == HnswlibKind::kGraph
                         ? fmt::format("a graph of hnswlib, M {}, ef_construction {}", info.M,
                                       info.ef_construction)
                         : std::string("a brute-force index of hnswlib");
  note += fmt::format(", dimension {}, {} rows", info.dimension, info.rows);
  if (info.element == HnswlibElement::kUint8) note += " of uint8";
  if (info.deleted > 0) note += fmt::format(", {} of them deleted and left out", info.deleted);
  if (info.metric.has_value()) note += "; all have norm 1, so its space is taken for cosine";
  return note;
}

class HnswlibReader final : public Reader {
 public:
  HnswlibReader(std::string path, HnswlibFile file)
      : Reader(std::move(path)), file_(std::move(file)) {
    const HnswlibInfo& info = file_.info();
    dimension_ = info.dimension;
    rows_ = info.rows - info.deleted;
    has_labels_ = true;
    note_ = note_of(info);
    origin_.metric = info.metric;
    origin_.M = info.M;
    origin_.ef_construction = info.ef_construction;
    if (!info.metric.has_value()) origin_.no_metric = "an hnswlib file does not say its space";
  }

  Status read(std::size_t max_rows, Batch& batch) override {
    batch.first_row = given_;
    batch.rows = 0;
    batch.values.clear();
    batch.labels.clear();
    stored_at_.clear();
    const std::size_t piece =
        std::max<std::size_t>(1, kVectorsReadBytes / (sizeof(float) * dimension_));
    while (batch.rows < max_rows && next_ < file_.info().rows) {
      if (Status s = file_.read(next_, std::min(piece, max_rows - batch.rows), piece_); !s.ok()) {
        return s;
      }
      keep_live(batch);
      next_ += piece_.labels.size();
    }
    given_ += batch.rows;
    return {};
  }

  std::string locate(std::uint64_t row) const override {
    const std::uint64_t first = given_ - stored_at_.size();
    if (row < first || row >= given_) return fmt::format("row {}", row);
    return fmt::format("row {} at byte {}", row, file_.offset_of(stored_at_[row - first]));
  }

 private:
  void keep_live(Batch& batch) {
    for (std::size_t r = 0; r < piece_.labels.size(); ++r) {
      if (piece_.deleted[r] != 0) continue;
      const auto from = piece_.values.begin() + static_cast<std::ptrdiff_t>(r * dimension_);
      batch.values.insert(batch.values.end(), from, from + dimension_);
      batch.labels.push_back(piece_.labels[r]);
      stored_at_.push_back(next_ + r);
      ++batch.rows;
    }
  }

  HnswlibFile file_;
  HnswlibRows piece_;
  std::vector<std::uint64_t> stored_at_;  ///< of the batch read last: numbers in the file
  std::uint64_t next_ = 0;                ///< in the file
  std::uint64_t given_ = 0;
};

}  // namespace

Result<std::unique_ptr<Reader>> make_hnswlib_reader(InputFile file, const Wanted& wanted) {
  const auto shared = std::make_shared<const InputFile>(std::move(file));
  HnswlibSource source;
  source.name = shared->path();
  source.size = shared->size();
  source.read = [shared](std::uint64_t offset, void* to, std::size_t bytes) {
    return shared->read_at(offset, to, bytes);
  };
  Result<HnswlibFile> opened =
      HnswlibFile::open(std::move(source), {.dimension = wanted.dimension});
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<Reader>(
      std::make_unique<HnswlibReader>(shared->path(), std::move(*opened)));
}

}  // namespace vicinal::matrix
