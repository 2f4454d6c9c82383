// What the tests of readers share: a file is read whole, or its error looked at.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tools/files.h"
#include "tools/matrix/matrix.h"

namespace vicinal::matrix {

class MatrixFiles : public testing::Folder {
 protected:
  /// The message of the error that opening or reading all of the file ends with.
  static std::string error_of(const std::string& path) {
    Result<Matrix> matrix = load(path);
    EXPECT_FALSE(matrix.ok()) << path;
    return matrix.status().message();
  }
  static void expect_rows(const std::string& path, std::uint64_t rows, std::uint32_t dimension,
                          const std::vector<float>& values) {
    Result<Matrix> matrix = load(path);
    ASSERT_TRUE(matrix.ok()) << matrix.status().to_string();
    EXPECT_EQ(matrix->rows, rows);
    EXPECT_EQ(matrix->dimension, dimension);
    EXPECT_EQ(matrix->values, values);
  }
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace vicinal::matrix
