// Writers: what they write reads back to the same bits.
#include "tools/matrix/writers.h"

#include <bit>
#include <limits>
#include <random>

#include "tests/tools/files.h"
#include "tools/matrix/matrix.h"

namespace vicinal::matrix {
namespace {

using WritersTest = testing::Folder;

std::vector<float> awkward_values() {
  std::vector<float> values = {0.0f,
                               -0.0f,
                               1e-45f,
                               -1e-38f,
                               0.1f,
                               16777217.0f,
                               std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::min()};
  std::mt19937 random(7);
  while (values.size() < 2000) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (value - value == 0.0f) values.push_back(value);  // finite
  }
  return values;
}

TEST_F(WritersTest, FvecsAndJsonlReadBackBitForBit) {
  const std::vector<float> values = awkward_values();
  for (const char* name : {"a.fvecs", "a.jsonl"}) {
    Result<Output> out = Output::open(path(name));
    ASSERT_TRUE(out.ok());
    const bool json = std::string(name).ends_with("jsonl");
    ASSERT_TRUE((json ? write_jsonl_row(*out, 9, values) : write_fvecs_row(*out, values)).ok());
    ASSERT_TRUE(out->close().ok());
    Result<Matrix> back = load(path(name));
    ASSERT_TRUE(back.ok()) << back.status().to_string();
    ASSERT_EQ(back->values.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(back->values[i]),
                std::bit_cast<std::uint32_t>(values[i]))
          << name << " " << values[i];
    }
  }
}

TEST_F(WritersTest, IvecsReadBack) {
  Result<Output> out = Output::open(path("a.ivecs"));
  ASSERT_TRUE(out.ok());
  const std::vector<std::int32_t> row = {5, 0, 2147483647};
  ASSERT_TRUE(write_ivecs_row(*out, row).ok());
  ASSERT_TRUE(out->close().ok());
  Result<Truth> truth = load_truth(path("a.ivecs"));
  ASSERT_TRUE(truth.ok());
  EXPECT_EQ(truth->values, row);
}

TEST_F(WritersTest, FailuresAreReported) {
  EXPECT_EQ(Output::open(path("none/a.fvecs")).status().code(), StatusCode::kIoError);
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Result<Output> full = Output::open("/dev/full");
  ASSERT_TRUE(full.ok());
  ASSERT_TRUE(full->write("x").ok());
  EXPECT_EQ(full->close().code(), StatusCode::kIoError);
}

}  // namespace
}  // namespace vicinal::matrix
