// Files of hnswlib through the C ABI; tests/engine/hnswlib_test.cc has every lie that one can tell.
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

/// A brute-force index of two float32: {1, 0} and {0, 1} under 7 and 8, with room for three.
std::string brute_force() {
  std::string bytes;
  const auto append = [&bytes](auto value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const std::uint64_t size : {3, 16, 2}) append(size);
  for (const std::uint64_t label : {7, 8, 9}) {
    append(label == 7 ? 1.0f : 0.0f);
    append(label == 8 ? 1.0f : 0.0f);
    append(label);
  }
  return bytes;
}

class CHnswlib : public ::testing::Test {
 protected:
  vicinal_hnswlib* opened(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    vicinal_hnswlib* file = nullptr;
    EXPECT_C_OK(vicinal_hnswlib_open(path_.c_str(), 0, &file));
    return file;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("a.hnswlib");
};

TEST_F(CHnswlib, ReadsWhatTheFileHas) {
  vicinal_hnswlib* const file = opened(brute_force());
  ASSERT_NE(file, nullptr);
  INITIALISED(hnswlib_info, info);
  ASSERT_C_OK(vicinal_hnswlib_get_info(file, &info));
  EXPECT_EQ(info.dimension, 2u);
  EXPECT_EQ(info.brute_force, 1u);
  EXPECT_EQ(info.rows, 2u);
  EXPECT_EQ(info.deleted, 0u);
  EXPECT_EQ(info.capacity, 3u);
  EXPECT_EQ(info.M, 0u);
  EXPECT_EQ(info.element_bytes, 4u);
  EXPECT_EQ(info.normalized, 1u);

  std::vector<std::uint64_t> labels(5);
  std::vector<float> vectors(10);
  std::vector<std::uint8_t> deleted(5, 9);
  std::size_t read = 0;
  ASSERT_C_OK(
      vicinal_hnswlib_read(file, 0, 5, 2, labels.data(), vectors.data(), deleted.data(), &read));
  EXPECT_EQ(read, 2u);
  EXPECT_EQ(labels[0], 7u);
  EXPECT_EQ(labels[1], 8u);
  EXPECT_EQ(std::vector<float>(vectors.begin(), vectors.begin() + 4),
            (std::vector<float>{1, 0, 0, 1}));
  EXPECT_EQ(deleted[1], 0);
  EXPECT_EQ(deleted[2], 9);
  ASSERT_C_OK(vicinal_hnswlib_read(file, 2, 0, 2, nullptr, nullptr, nullptr, &read));
  EXPECT_EQ(read, 0u);
  EXPECT_C(
      vicinal_hnswlib_read(file, 0, 1, 3, labels.data(), vectors.data(), deleted.data(), &read),
      VICINAL_INVALID_ARGUMENT, "the file has 2");
  vicinal_hnswlib_free(file);
  vicinal_hnswlib_free(nullptr);
}

TEST_F(CHnswlib, RefusesWhatIsNone) {
  auto* none = reinterpret_cast<vicinal_hnswlib*>(this);
  EXPECT_C(vicinal_hnswlib_open(path_.c_str(), 0, &none), VICINAL_NOT_FOUND, path_);
  EXPECT_EQ(none, nullptr);
  const std::string bytes = brute_force();
  std::ofstream(path_, std::ios::binary) << bytes.substr(0, bytes.size() - 1);
  EXPECT_C(vicinal_hnswlib_open(path_.c_str(), 0, &none), VICINAL_CORRUPTION, "byte");
  EXPECT_C(vicinal_hnswlib_open(nullptr, 0, &none), VICINAL_INVALID_ARGUMENT, "path is NULL");
  EXPECT_C(vicinal_hnswlib_open(path_.c_str(), 0, nullptr), VICINAL_INVALID_ARGUMENT,
           "file is NULL");
  vicinal_hnswlib* const file = opened(bytes);
  ASSERT_NE(file, nullptr);
  std::size_t read = 9;
  EXPECT_C(vicinal_hnswlib_read(file, 0, 1, 2, nullptr, nullptr, nullptr, &read),
           VICINAL_INVALID_ARGUMENT, "labels is NULL");
  EXPECT_EQ(read, 9u);
  EXPECT_C(vicinal_hnswlib_get_info(file, nullptr), VICINAL_INVALID_ARGUMENT, "info is NULL");
  vicinal_hnswlib_free(file);
  INITIALISED(hnswlib_info, info);
  EXPECT_C(vicinal_hnswlib_get_info(nullptr, &info), VICINAL_INVALID_ARGUMENT, "file is NULL");
}

}  // namespace
}  // namespace vicinal::testing
