// Labels: counted, from text, from npy, and files that do not fit.
#include "tools/matrix/labels.h"

#include <limits>

#include "tests/tools/files.h"

namespace vicinal::matrix {
namespace {

using testing::npy;
using testing::raw_all;
using LabelsTest = testing::Folder;

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(LabelsTest, CountsFromAnywhereUpToTheLast) {
  LabelSource source = LabelSource::counted(std::numeric_limits<Label>::max() - 2);
  EXPECT_FALSE(source.count().has_value());
  std::vector<Label> labels(2);
  ASSERT_TRUE(source.next(labels).ok());
  EXPECT_EQ(labels[1], std::numeric_limits<Label>::max() - 1);
  EXPECT_FALSE(source.next(labels).ok());
  labels.resize(1);
  ASSERT_TRUE(source.next(labels).ok());
  EXPECT_EQ(labels[0], std::numeric_limits<Label>::max());
  EXPECT_FALSE(source.next(labels).ok());
}

TEST_F(LabelsTest, ReadsText) {
  Result<std::vector<Label>> labels =
      load_labels(file("a.txt", "7\n 18446744073709551615 \r\n\n0"));
  ASSERT_TRUE(labels.ok()) << labels.status().to_string();
  EXPECT_EQ(*labels, (std::vector<Label>{7, 18446744073709551615ull, 0}));
}

TEST_F(LabelsTest, RefusesTextThatIsNoLabel) {
  for (const char* bad : {"-1", "+1", "1.5", "1e3", "0x1", "x", "18446744073709551616", "1 2"}) {
    Result<std::vector<Label>> labels = load_labels(file("a.txt", std::string("1\n") + bad + "\n"));
    ASSERT_FALSE(labels.ok()) << bad;
    EXPECT_HAS(labels.status().message(), "line 2:");
  }
}

TEST_F(LabelsTest, ReadsNpy) {
  const std::string head = "{'descr': '<u8', 'fortran_order': False, 'shape': (2,)}";
  const std::string data = raw_all<std::uint64_t>({5, 18446744073709551615ull});
  Result<std::vector<Label>> labels = load_labels(file("a.npy", npy(head, data)));
  ASSERT_TRUE(labels.ok()) << labels.status().to_string();
  EXPECT_EQ(*labels, (std::vector<Label>{5, 18446744073709551615ull}));

  const std::string is_signed = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}";
  EXPECT_HAS(load_labels(file("b.npy", npy(is_signed, data))).status().message(),
             "label 1 of the file is negative");
  EXPECT_HAS(load_labels(file("c.npy", npy(head, data.substr(1)))).status().message(), "15 bytes");
  const std::string lying =
      "{'descr': '<u8', 'fortran_order': False, 'shape': (2305843009213693954,)}";
  EXPECT_HAS(load_labels(file("d.npy", npy(lying, data))).status().message(),
             "2305843009213693954");
  const std::string floats = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}";
  const Status refused = load_labels(file("e.npy", npy(floats, data))).status();
  EXPECT_HAS(refused.message(), "'<f8'");
  EXPECT_HAS(refused.message(), "\"<u8\"");  // the command that converts
}

TEST_F(LabelsTest, ReadsNpyOfEveryWholeNumber) {
  const auto labels = [&](const char* descr, const std::string& data) {
    const std::string head =
        std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (2,)}";
    Result<std::vector<Label>> read = load_labels(file("labels", npy(head, data)));
    EXPECT_TRUE(read.ok()) << descr << " " << read.status().to_string();
    return read.ok() ? *read : std::vector<Label>();
  };
  const std::vector<Label> expected = {3, 200};
  EXPECT_EQ(labels("|u1", raw_all<std::uint8_t>({3, 200})), expected);
  EXPECT_EQ(labels("<u2", raw_all<std::uint16_t>({3, 200})), expected);
  EXPECT_EQ(labels(">u2", raw_all<std::uint16_t>({0x0300, 0xC800})), expected);
  EXPECT_EQ(labels("<i2", raw_all<std::int16_t>({3, 200})), expected);
  EXPECT_EQ(labels("<u4", raw_all<std::uint32_t>({3, 200})), expected);
  EXPECT_EQ(labels("<i4", raw_all<std::int32_t>({3, 200})), expected);
  EXPECT_EQ(labels(">i8", raw_all<std::uint64_t>({3ull << 56, 200ull << 56})), expected);
}

TEST_F(LabelsTest, PassesOverAByteOrderMark) {
  Result<std::vector<Label>> labels = load_labels(file("a.txt",
                                                       "\xEF\xBB\xBF"
                                                       "7\n8\n"));
  ASSERT_TRUE(labels.ok()) << labels.status().to_string();
  EXPECT_EQ(*labels, (std::vector<Label>{7, 8}));
  EXPECT_HAS(load_labels(file("b.txt", std::string("\xFF\xFE"
                                                   "7\0",
                                                   4)))
                 .status()
                 .message(),
             "iconv");
}

TEST_F(LabelsTest, RunsOutWithNumbers) {
  Result<LabelSource> source = LabelSource::from_file(file("a.txt", "1\n2\n3\n"));
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(source->count(), 3u);
  std::vector<Label> labels(2);
  ASSERT_TRUE(source->next(labels).ok());
  const Status out = source->next(labels);
  EXPECT_HAS(out.message(), "3 labels, at least 4 rows");
}

}  // namespace
}  // namespace vicinal::matrix
