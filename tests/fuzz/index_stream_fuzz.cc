// Fuzz target: whatever the bytes, Index::load() refuses them or gives an index that can be used, saved
// and loaded again. Sums are made right first, or hardly an input would get past them; an input whose
// first byte is odd is taken as it is.
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "tests/engine/stream_reseal.h"
#include "tests/fuzz/script_reader.h"
#include "vicinal/index.h"

namespace {

using namespace vicinal;
using fuzz::expect;
using fuzz::expect_ok;

Result<Index> load(std::span<const std::byte> bytes) {
  std::size_t at = 0;
  return Index::load(
      [&](std::span<std::byte> room) -> Result<std::size_t> {
        const std::size_t count = std::min(room.size(), bytes.size() - at);
        if (count > 0) std::memcpy(room.data(), bytes.data() + at, count);
        at += count;
        return count;
      },
      {.threads = 1});
}

std::vector<std::byte> save(const Index& index) {
  std::vector<std::byte> bytes;
  expect_ok(index.save([&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return Status();
  }));
  return bytes;
}

std::vector<Label> labels_of(const Index& index) {
  std::vector<Label> labels;
  expect_ok(index.for_each([&labels](Label label, std::span<const float>) {
    labels.push_back(label);
    return true;
  }));
  return labels;
}

void expect_valid(const Index& index) {
  const Result<ValidateReport> report = index.validate({.max_messages = 1});
  expect_ok(report.status());
  if (!report->sound()) std::fprintf(stderr, "%s\n", report->messages.front().c_str());
  expect(report->sound(), "what was loaded is sound");
}

void use(Index index) {
  expect_valid(index);
  const std::uint64_t live = index.size();
  const std::vector<Label> labels = labels_of(index);
  expect(labels.size() == live, "every live vector is visited");
  for (const Label label : labels) expect_ok(index.get(label).status());
  const std::vector<float> ones(index.dimension(), 1.0F);
  expect_ok(index.search(ones).status());
  expect(index.search(ones, {.k = labels.size() + 1, .exact = true})->size() == live,
         "an exact search finds all");
  const Result<Index> again = load(save(index));
  expect_ok(again.status());
  expect(again->size() == live, "what was saved is loaded");
  expect_valid(*again);
  expect_ok(index.upsert(1, ones).status());
  if (!labels.empty()) expect_ok(index.erase(labels.front()).status());
  expect_ok(index.repair().status());
  expect_ok(index.rebuild());
  expect_valid(index);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  const bool as_given = size > 0 && (data[0] & 1) != 0;
  if (as_given) bytes.erase(bytes.begin());
  if (!as_given) testing::reseal(bytes);
  const Result<Index> index = load(bytes);
  if (index.ok()) {
    use(*index);
  } else {
    expect(index.status().code() == StatusCode::kCorruption ||
               index.status().code() == StatusCode::kFormatVersion,
           "what is refused is named");
  }
  return 0;
}
