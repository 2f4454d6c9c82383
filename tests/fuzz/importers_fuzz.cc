// Fuzz target: the readers of vector files, of labels and of truth. The first byte says the format; the
// second what is wanted of the file; the rest is the file. Not HDF5: that reader starts a process for
// each file (tests/tools/mutations.sh mutates those).
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/script_reader.h"
#include "tests/temporary_folder.h"
#include "tools/matrix/labels.h"
#include "tools/matrix/matrix.h"

namespace {

using namespace vicinal;
using namespace vicinal::matrix;
using fuzz::expect;

// Never renumbered: the corpus is by these numbers.
constexpr std::array kFormats = {"fvecs",    "bvecs",  "fbin",     "u8bin",    "i8bin",    "npy",
                                 "npz",      "jsonl",  "faiss",    "hnswlib",  "ivecs",    "labels",
                                 "fvecs.gz", "npy.gz", "jsonl.gz", "ivecs.gz", "labels.gz"};

void expect_named(const Status& status) {
  const bool named = status.code() == StatusCode::kInvalidArgument ||
                     status.code() == StatusCode::kCorruption ||
                     status.code() == StatusCode::kNotFound;
  if (!named) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  expect(named, "a file is refused for what it holds");
  expect(status.message().find("input.") != std::string::npos, "and is named (X3)");
}

std::string write_file(std::string_view format, std::span<const std::byte> bytes) {
  static const testing::TemporaryFolder folder;
  const std::string path = folder.file("input." + std::string(format));
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const ssize_t written = file < 0 ? -1 : ::write(file, bytes.data(), bytes.size());
  expect(written == static_cast<ssize_t>(bytes.size()), "the file can be written");
  ::close(file);
  return path;
}

void read_rows(const std::string& path, const Wanted& wanted, std::size_t most) {
  Result<std::unique_ptr<Reader>> opened = Reader::open(path, wanted);
  if (!opened.ok()) return expect_named(opened.status());
  Reader& reader = **opened;
  expect(reader.dimension() >= 1 && reader.dimension() <= kMaxDimension, "a dimension is (X2)");
  std::uint64_t rows = 0;
  Batch batch;
  do {
    if (const Status status = reader.read(most, batch); !status.ok()) return expect_named(status);
    expect(batch.rows <= most, "no more rows than were asked for");
    expect(batch.values.size() == batch.rows * reader.dimension(), "rows are whole");
    expect(batch.labels.size() == (reader.has_labels() ? batch.rows : 0), "labels go with them");
    expect(batch.first_row == rows, "rows follow each other");
    if (batch.rows > 0) expect(!reader.locate(batch.rows - 1).empty(), "a row has a place");
    rows += batch.rows;
  } while (batch.rows > 0);
  expect(rows == reader.rows(), "as many rows as were said");
  expect(load(path, 3).ok() || !wanted.array.empty() || !wanted.usual_array.empty() ||
             wanted.dimension != 0,
         "what is read in batches is read whole");
}

void read_truth(const std::string& path) {
  const Result<Truth> truth = load_truth(path);
  if (!truth.ok()) return expect_named(truth.status());
  expect(truth->values.size() == truth->rows * truth->columns, "truth is a matrix");
  for (const std::int32_t row : truth->values) expect(row >= 0, "rows have numbers");
}

void read_labels(const std::string& path) {
  Result<LabelSource> source = LabelSource::from_file(path);
  if (!source.ok()) return expect_named(source.status());
  expect(source->count().has_value(), "a file's labels are counted first");
  const std::uint64_t count = *source->count();
  const Result<std::vector<Label>> all = load_labels(path);
  if (!all.ok()) return expect_named(all.status());
  expect(all->size() == count, "and there are as many");
  std::vector<Label> again(count);
  expect(source->next(again).ok() && again == *all, "and they are the same");
  Label beyond = 0;
  expect(!source->next({&beyond, 1}).ok(), "there is none behind the last");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::ScriptReader script(data, size);
  const std::string_view format = kFormats[script.below(kFormats.size())];
  const std::uint8_t what = script.byte();
  const std::string path = write_file(format, script.rest());
  if (format.starts_with("ivecs")) {
    read_truth(path);
  } else if (format.starts_with("labels")) {
    read_labels(path);
  } else {
    Wanted wanted;
    wanted.usual_array = (what & 1) != 0 ? "train" : "";
    wanted.array = (what & 2) != 0 ? "test" : "";
    wanted.dimension = (what & 4) != 0 ? 4 : 0;
    read_rows(path, wanted, 1 + (what >> 4));
  }
  return 0;
}
