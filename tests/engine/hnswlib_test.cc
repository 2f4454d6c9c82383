// HF1, HF2: files of hnswlib put together byte by byte, sound and with every lie a header can tell.
// tests/tools/cli_formats.sh reads files that hnswlib itself wrote.
#include "vicinal/hnswlib.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.h"

namespace vicinal {
namespace {

template <typename T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
void put(std::string& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

constexpr std::uint64_t kM = 3;
constexpr std::size_t kRowBytes = 4 * (1 + 2 * kM) + 8 + 8;  // two float32
constexpr std::size_t kVectorAt = 4 * (1 + 2 * kM);

/// A graph of four rows {i, i + 0.5} under the labels 100 + i; row 2 is deleted, row 3 has a level
/// above.
std::string graph() {
  std::string bytes;
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{10}, std::uint64_t{4}, std::uint64_t{kRowBytes},
        std::uint64_t{kVectorAt + 8}, std::uint64_t{kVectorAt}}) {
    append(bytes, size);
  }
  append(bytes, std::int32_t{1});
  append(bytes, std::uint32_t{3});
  for (const std::uint64_t size : {kM, 2 * kM, kM}) append(bytes, size);
  append(bytes, 1 / std::log(3.0));
  append(bytes, std::uint64_t{200});
  for (std::uint32_t i = 0; i < 4; ++i) {
    std::string links(kVectorAt, '\0');
    links[0] = 1;
    links[2] = i == 2 ? 1 : 0;
    bytes += links;
    append(bytes, static_cast<float>(i));
    append(bytes, static_cast<float>(i) + 0.5f);
    append(bytes, std::uint64_t{100 + i});
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    append(bytes, static_cast<std::uint32_t>(i == 3 ? 4 * (1 + kM) : 0));
  }
  return bytes + std::string(4 * (1 + kM), '\0');
}

constexpr std::size_t kLinksAt = 96 + 4 * kRowBytes;

/// Room for three rows of two float32, two of them stored: {1, 0} and {0, 1} under 7 and 8.
std::string brute_force() {
  std::string bytes;
  for (const std::uint64_t size : {3, 16, 2}) append(bytes, size);
  for (const std::uint64_t label : {7, 8, 9}) {
    append(bytes, label == 7 ? 1.0f : 0.0f);
    append(bytes, label == 8 ? 1.0f : 0.0f);
    append(bytes, label);
  }
  return bytes;
}

HnswlibSource source_of(const std::string& bytes) {
  HnswlibSource source;
  source.name = "test";
  source.size = bytes.size();
  source.read = [bytes](std::uint64_t offset, void* to, std::size_t count) {
    EXPECT_LE(count, bytes.size());
    EXPECT_LE(offset, bytes.size() - count);
    std::memcpy(to, bytes.data() + offset, count);
    return Status();
  };
  return source;
}

std::string refusal(const std::string& bytes, const HnswlibOptions& options = {},
                    StatusCode code = StatusCode::kCorruption) {
  const Result<HnswlibFile> file = HnswlibFile::open(source_of(bytes), options);
  EXPECT_FALSE(file.ok());
  if (file.ok()) return "";
  EXPECT_EQ(file.status().code(), code) << file.status().to_string();
  return file.status().message();
}

#define EXPECT_BEGINS(text, start) EXPECT_EQ(std::string(text).rfind(start, 0), 0u) << (text)

TEST(HnswlibTest, ReadsAGraph) {
  Result<HnswlibFile> file = HnswlibFile::open(source_of(graph()));
  ASSERT_TRUE(file.ok()) << file.status().to_string();
  const HnswlibInfo& info = file->info();
  EXPECT_EQ(info.kind, HnswlibKind::kGraph);
  EXPECT_EQ(info.element, HnswlibElement::kFloat32);
  EXPECT_EQ(info.dimension, 2u);
  EXPECT_EQ(info.rows, 4u);
  EXPECT_EQ(info.deleted, 1u);
  EXPECT_EQ(info.capacity, 10u);
  EXPECT_EQ(info.M, kM);
  EXPECT_EQ(info.ef_construction, 200u);
  EXPECT_FALSE(info.metric.has_value());
  HnswlibRows rows;
  ASSERT_TRUE(file->read(1, 100, rows).ok());
  EXPECT_EQ(rows.values, (std::vector<float>{1, 1.5f, 2, 2.5f, 3, 3.5f}));
  EXPECT_EQ(rows.labels, (std::vector<Label>{101, 102, 103}));
  EXPECT_EQ(rows.deleted, (std::vector<std::uint8_t>{0, 1, 0}));
  ASSERT_TRUE(file->read(4, 100, rows).ok());
  EXPECT_TRUE(rows.labels.empty());
  EXPECT_EQ(file->offset_of(2), 96 + 2 * kRowBytes + kVectorAt);
}

TEST(HnswlibTest, ReadsABruteForceIndex) {
  Result<HnswlibFile> file = HnswlibFile::open(source_of(brute_force()));
  ASSERT_TRUE(file.ok()) << file.status().to_string();
  EXPECT_EQ(file->info().kind, HnswlibKind::kBruteForce);
  EXPECT_EQ(file->info().dimension, 2u);
  EXPECT_EQ(file->info().rows, 2u);
  EXPECT_EQ(file->info().capacity, 3u);
  EXPECT_EQ(file->info().deleted, 0u);
  EXPECT_EQ(file->info().metric, Metric::kCosine);  // the row that is not stored has norm 0
  HnswlibRows rows;
  ASSERT_TRUE(file->read(0, 100, rows).ok());
  EXPECT_EQ(rows.labels, (std::vector<Label>{7, 8}));
  EXPECT_EQ(rows.values, (std::vector<float>{1, 0, 0, 1}));
}

TEST(HnswlibTest, FindsCosineFromRowsThatAreNotDeleted) {
  std::string bytes = graph();
  for (std::size_t i = 0; i < 4; ++i) {
    if (i == 2) continue;
    put(bytes, 96 + i * kRowBytes + kVectorAt, 0.6f);
    put(bytes, 96 + i * kRowBytes + kVectorAt + 4, -0.8f);
  }
  EXPECT_EQ(HnswlibFile::open(source_of(bytes))->info().metric, Metric::kCosine);
  put(bytes, 96 + kVectorAt, 0.61f);
  EXPECT_FALSE(HnswlibFile::open(source_of(bytes))->info().metric.has_value());
}

TEST(HnswlibTest, EmptyIndexesAreValid) {
  std::string bytes = graph().substr(0, 96);
  put(bytes, 16, std::uint64_t{0});
  put(bytes, 48, std::int32_t{-1});
  put(bytes, 52, std::uint32_t{0xFFFFFFFF});
  Result<HnswlibFile> file = HnswlibFile::open(source_of(bytes));
  ASSERT_TRUE(file.ok()) << file.status().to_string();
  EXPECT_EQ(file->info().rows, 0u);
  EXPECT_FALSE(file->info().metric.has_value());
  std::string flat = brute_force();
  put(flat, 16, std::uint64_t{0});
  EXPECT_EQ(HnswlibFile::open(source_of(flat))->info().rows, 0u);
  std::string roomless = flat.substr(0, 24);
  put(roomless, 0, std::uint64_t{0});
  EXPECT_EQ(HnswlibFile::open(source_of(roomless))->info().kind, HnswlibKind::kBruteForce);
}

TEST(HnswlibTest, TheGivenDimensionDecidesWhatAComponentIs) {
  EXPECT_EQ(HnswlibFile::open(source_of(graph()), {.dimension = 2})->info().dimension, 2u);
  Result<HnswlibFile> bytes = HnswlibFile::open(source_of(graph()), {.dimension = 8});
  ASSERT_TRUE(bytes.ok()) << bytes.status().to_string();
  EXPECT_EQ(bytes->info().element, HnswlibElement::kUint8);
  EXPECT_EQ(bytes->info().deleted, 1u);
  HnswlibRows rows;
  ASSERT_TRUE(bytes->read(1, 1, rows).ok());
  EXPECT_EQ(rows.values, (std::vector<float>{0, 0, 128, 63, 0, 0, 192, 63}));
  EXPECT_EQ(refusal(graph(), {.dimension = 3}, StatusCode::kInvalidArgument),
            "test: vectors of 8 bytes, dimension 3 takes 12 as float32 or 3 as uint8");
  refusal(graph(), {.dimension = 65537}, StatusCode::kInvalidArgument);
  std::string odd = brute_force();
  put(odd, 8, std::uint64_t{8 + 16});
  put(odd, 0, std::uint64_t{2});
  EXPECT_TRUE(HnswlibFile::open(source_of(odd)).ok());
  odd = odd.substr(0, 24) + std::string(22, 'x');
  put(odd, 8, std::uint64_t{11});
  EXPECT_BEGINS(refusal(odd), "test: byte 8: vectors of 3 bytes are not float32");
  EXPECT_EQ(HnswlibFile::open(source_of(odd), {.dimension = 3})->info().rows, 2u);
}

TEST(HnswlibTest, EveryLieOfAHeaderIsToldByItsByte) {
  constexpr std::uint64_t kHuge = 0xFFFFFFFFFFFFFFF0;
  for (const std::size_t at : {8, 16, 24, 32, 40, 56, 64, 72}) {
    for (const std::uint64_t value : {std::uint64_t{1}, std::uint64_t{5}, kHuge, kHuge / 4}) {
      if (at == 8 && value > 4) continue;   // room for more than is stored is no lie
      if (at == 16 && value < 4) continue;  // is told by what follows the rows
      std::string bytes = graph();
      put(bytes, at, value);
      const std::string message = refusal(bytes);
      // Of parts that do not add up, either may be the wrong one.
      const bool alone = at == 8 || at == 16;
      EXPECT_BEGINS(message, "test: byte " + (alone ? std::to_string(at) + ": " : ""));
    }
  }
  std::string bytes = graph();
  put(bytes, 16, std::uint64_t{5000000000});
  EXPECT_EQ(refusal(bytes), "test: byte 16: 5000000000 rows of 44 bytes, a file of " +
                                std::to_string(bytes.size()) + " bytes has room for 4");
  bytes = graph();
  put(bytes, 48, std::int32_t{-2});
  EXPECT_BEGINS(refusal(bytes), "test: byte 48: highest level -2 with 4 rows");
  bytes = graph();
  put(bytes, 52, std::uint32_t{4});
  EXPECT_BEGINS(refusal(bytes), "test: byte 52: the entry point is row 4 of 4");
  bytes = graph();
  put(bytes, 0, std::uint64_t{1});
  EXPECT_BEGINS(refusal(bytes), "test: byte 0: room for 1 rows of 10 bytes");
  EXPECT_BEGINS(refusal(std::string(100, 'x')), "test: byte 8: no hnswlib file");
}

TEST(HnswlibTest, LinksThatDoNotFitAreToldByTheirByte) {
  std::string bytes = graph();
  put(bytes, kLinksAt + 4, std::uint32_t{5});
  EXPECT_BEGINS(refusal(bytes), "test: byte " + std::to_string(kLinksAt + 4) + ": row 1 has 5 ");
  bytes = graph();
  put(bytes, kLinksAt, std::uint32_t{32});
  EXPECT_BEGINS(refusal(bytes), "test: byte " + std::to_string(kLinksAt) + ": row 0 has 32 ");
  bytes = graph();
  put(bytes, 48, std::int32_t{0x7FFFFFFF});
  put(bytes, kLinksAt, std::uint32_t{0xFFFFFFF0});
  EXPECT_NE(refusal(bytes).find("the file ends at byte"), std::string::npos);
  EXPECT_BEGINS(refusal(graph() + "x"),
                "test: byte " + std::to_string(graph().size()) + ": 1 bytes after");
}

TEST(HnswlibTest, EveryTruncationIsRefused) {
  const std::string whole = graph();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_BEGINS(refusal(whole.substr(0, size)), "test: byte ");
  }
  const std::string flat = brute_force();
  for (std::size_t size = 0; size < flat.size(); ++size) {
    EXPECT_BEGINS(refusal(flat.substr(0, size)), "test: byte ");
  }
  std::string rows = brute_force();
  put(rows, 16, std::uint64_t{4});
  EXPECT_EQ(refusal(rows), "test: byte 16: 4 rows, there is room for 3");
}

TEST(HnswlibTest, OpensByPath) {
  testing::TemporaryFolder folder;
  const std::string path = folder.file("a.hnswlib");
  std::ofstream(path, std::ios::binary) << graph();
  {
    Result<HnswlibFile> file = HnswlibFile::open(path);
    ASSERT_TRUE(file.ok()) << file.status().to_string();
    const HnswlibFile copy = *file;
    HnswlibRows rows;
    ASSERT_TRUE(copy.read(0, 1, rows).ok());
    EXPECT_EQ(rows.labels, (std::vector<Label>{100}));
    // Cut underneath: an answer, not a crash.
    std::filesystem::resize_file(path, 100);
    EXPECT_EQ(copy.read(3, 1, rows).code(), StatusCode::kIoError);
  }
  EXPECT_EQ(HnswlibFile::open(folder.file("")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(HnswlibFile::open(folder.file("b")).status().code(), StatusCode::kNotFound);
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_EQ(HnswlibFile::open(folder.file("pipe")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(HnswlibFile::open(HnswlibSource()).status().code(), StatusCode::kInvalidArgument);
}

TEST(HnswlibTest, WhatTheSourceAnswersIsAnswered) {
  const std::string bytes = graph();
  int calls = 0;
  for (int fails_at = 0; fails_at < 100; ++fails_at) {
    HnswlibSource source = source_of(bytes);
    source.read = [&, inner = source.read](std::uint64_t offset, void* to, std::size_t count) {
      return calls++ == fails_at ? Status::io_error("gone") : inner(offset, to, count);
    };
    calls = 0;
    Result<HnswlibFile> file = HnswlibFile::open(source);
    if (file.ok()) {
      EXPECT_GT(fails_at, 2);
      return;
    }
    EXPECT_EQ(file.status().message(), "gone");
  }
  FAIL() << "never opened";
}

}  // namespace
}  // namespace vicinal
