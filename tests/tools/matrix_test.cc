// Readers of vector files: each format, and what each does with files that lie.
#include "tools/matrix/matrix.h"

#include <cmath>
#include <limits>

#include "tests/tools/matrix_files.h"
#include "tools/matrix/formats.h"

namespace vicinal::matrix {
namespace {

using testing::npy;
using testing::raw;
using testing::raw_all;
using testing::vecs_row;

using MatrixTest = MatrixFiles;

const std::vector<float> kValues = {1, -2.5f, 3, 4, 5, 6e-3f};

TEST_F(MatrixTest, ReadsFvecs) {
  const std::string bytes = vecs_row<float>({1, -2.5f, 3}) + vecs_row<float>({4, 5, 6e-3f});
  expect_rows(file("a.fvecs", bytes), 2, 3, kValues);
}

TEST_F(MatrixTest, ReadsBvecs) {
  const std::string bytes =
      vecs_row<std::uint8_t>({0, 128, 255}) + vecs_row<std::uint8_t>({1, 2, 3});
  expect_rows(file("a.bvecs", bytes), 2, 3, {0, 128, 255, 1, 2, 3});
}

TEST_F(MatrixTest, ReadsFbin) {
  expect_rows(file("a.fbin", raw(2) + raw(3) + raw_all(kValues)), 2, 3, kValues);
  expect_rows(file("b.fbin", raw(0) + raw(3)), 0, 3, {});
}

TEST_F(MatrixTest, ReadsNpyOfEachElementAndVersion) {
  const std::string shape = "'fortran_order': False, 'shape': (2, 3), }";
  const std::string data = raw_all(kValues);
  expect_rows(file("a.npy", npy("{'descr': '<f4', " + shape, data)), 2, 3, kValues);
  expect_rows(file("b.npy", npy("{'descr': '<f4', " + shape, data, 2)), 2, 3, kValues);
  expect_rows(
      file("c.npy", npy("{'descr': '|u1', " + shape, raw_all<std::uint8_t>({0, 1, 2, 3, 4, 255}))),
      2, 3, {0, 1, 2, 3, 4, 255});
  const std::string halves =
      raw_all<std::uint16_t>({0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000, 0x03FF});
  expect_rows(
      file("d.npy", npy("{'shape': (2,3,), 'fortran_order':False,'descr':\"<f2\"}", halves)), 2, 3,
      {1, -2, 0x1p-24f, 65504, -0.0f, 0x3FFp-24f});
}

template <typename T>
std::string big_endian(const std::vector<T>& values) {
  std::string bytes;
  for (const T value : values) {
    const std::string one = raw(value);
    for (std::size_t i = one.size(); i-- > 0;) bytes.push_back(one[i]);
  }
  return bytes;
}

TEST_F(MatrixTest, ReadsNpyOfEveryNumberAndSaysSo) {
  const auto check = [&](const std::string& descr, const std::string& data,
                         const std::vector<float>& expected, const std::string& note) {
    const std::string path = file(
        "a.npy", npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (1, 3)}", data));
    expect_rows(path, 1, 3, expected);
    Result<std::unique_ptr<Reader>> reader = Reader::open(path);
    ASSERT_TRUE(reader.ok()) << descr;
    if (note.empty()) {
      EXPECT_EQ((*reader)->note(), "");
    } else {
      EXPECT_HAS((*reader)->note(), "'" + descr + "', " + note);
    }
  };
  const std::vector<float> small = {-1, 0, 100};
  const std::vector<float> positive = {1, 0, 200};
  check("<f4", raw_all<float>({-1, 0, 100}), small, "");
  check(">f4", big_endian<float>({-1, 0, 100}), small, "converted");
  check("<f8", raw_all<double>({-1, 0, 100}), small, "rounded");
  check(">f8", big_endian<double>({-1, 0, 100}), small, "rounded");
  check(">f2", big_endian<std::uint16_t>({0xBC00, 0, 0x5640}), small, "converted");
  check("|i1", raw_all<std::int8_t>({-1, 0, 100}), small, "converted");
  check("<i2", raw_all<std::int16_t>({-1, 0, 100}), small, "converted");
  check(">i2", big_endian<std::int16_t>({-1, 0, 100}), small, "converted");
  check("<i4", raw_all<std::int32_t>({-1, 0, 100}), small, "rounded");
  check("<i8", raw_all<std::int64_t>({-1, 0, 100}), small, "rounded");
  check(">i8", big_endian<std::int64_t>({-1, 0, 100}), small, "rounded");
  check("|b1", raw_all<std::uint8_t>({1, 0, 1}), {1, 0, 1}, "converted");
  check("|u1", raw_all<std::uint8_t>({1, 0, 200}), positive, "converted");
  check("<u2", raw_all<std::uint16_t>({1, 0, 200}), positive, "converted");
  check("<u4", raw_all<std::uint32_t>({1, 0, 200}), positive, "rounded");
  check("<u8", raw_all<std::uint64_t>({1, 0, 200}), positive, "rounded");
}

TEST_F(MatrixTest, ReadsBytesBehindACount) {
  expect_rows(file("a.u8bin", raw(2) + raw(2) + raw_all<std::uint8_t>({0, 128, 255, 1})), 2, 2,
              {0, 128, 255, 1});
  expect_rows(file("a.i8bin", raw(2) + raw(2) + raw_all<std::int8_t>({0, -128, 127, 1})), 2, 2,
              {0, -128, 127, 1});
  EXPECT_HAS(error_of(file("b.i8bin", raw(2) + raw(2) + raw_all<std::int8_t>({0, 1, 2}))),
             "row 1 is truncated");
  // 559,903 rows: a count that begins as gzip does.
  const std::string rows(559903, '\1');
  Result<Matrix> matrix = load(file("c.u8bin", raw(559903) + raw(1) + rows), 3);
  ASSERT_TRUE(matrix.ok()) << matrix.status().to_string();
  EXPECT_EQ(matrix->values, (std::vector<float>{1, 1, 1}));
}

TEST_F(MatrixTest, TheFormatMayBeNamed) {
  const std::string path = file("rows", raw(1) + raw(2) + raw_all<float>({3, 4}));
  Wanted wanted;
  wanted.format = "fbin";
  Result<std::unique_ptr<Reader>> reader = Reader::open(path, wanted);
  ASSERT_TRUE(reader.ok()) << reader.status().to_string();
  EXPECT_EQ((*reader)->dimension(), 2u);
  for (const char* word : {"fvecs", "bvecs", "fbin", "u8bin", "i8bin", "npy", "jsonl", "npy.gz"}) {
    EXPECT_TRUE(known_format(word)) << word;
  }
  for (const char* word : {"", "gz", ".npy", "ivecs", "csv", "NPY", "npy.zip"}) {
    EXPECT_FALSE(known_format(word)) << word;
  }
  EXPECT_HAS(Reader::open("-").status().message(), "--format");
}

TEST_F(MatrixTest, WidensEveryHalfExactly) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = half_to_float(static_cast<std::uint16_t>(bits));
    const int exponent = static_cast<int>((bits >> 10) & 0x1F);
    const double mantissa = bits & 0x3FF;
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), mantissa != 0);
      EXPECT_EQ(std::isinf(value), mantissa == 0);
    } else if (exponent == 0) {
      EXPECT_EQ(value, sign * std::ldexp(mantissa, -24));
    } else {
      EXPECT_EQ(value, sign * std::ldexp(1024 + mantissa, exponent - 25));
    }
  }
}

TEST_F(MatrixTest, X4NumbersOutOfRangeAreNamed) {
  const std::string good = "{\"vector\":[1,2]}\n";
  for (const char* number : {"1e39", "-1e39", "3.4028236e38", "1e400", "-1e400"}) {
    EXPECT_HAS(
        error_of(file("a.jsonl", good + "{\"vector\":[1," + number + "]}\n")),
        std::string("row 1 at line 2: component 1 is ") + number + ", out of float32's range");
  }
  const std::string digits(400, '9');
  EXPECT_HAS(error_of(file("b.jsonl", good + "{\"vector\":[1," + digits + "]}\n")),
             "..., out of float32's range");
  const std::string head = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}";
  EXPECT_HAS(error_of(file("a.npy", npy(head, raw_all<double>({1, 2, 3, 1e300})))),
             "component 1 is 1e+300, out of float32's range");
  EXPECT_HAS(error_of(file("c.jsonl", "{\"label\":1e400,\"vector\":[1]}\n")), "label 1e400");
  // A number of no interest may be what it likes.
  expect_rows(file("d.jsonl", "{\"score\":1e400,\"vector\":[1,2],\"more\":[-1e999,7]}\n"), 1, 2,
              {1, 2});
  for (const char* number : {"NaN", "Infinity", "-Infinity"}) {
    EXPECT_HAS(error_of(file("e.jsonl", good + "{\"vector\":[1," + number + "]}\n")),
               "JSON has no NaN and no infinity");
  }
}

TEST_F(MatrixTest, ReadsInBatchesAndSaysWhere) {
  std::string bytes;
  for (int r = 0; r < 10; ++r) bytes += vecs_row<float>({static_cast<float>(r), 0.5f});
  Result<std::unique_ptr<Reader>> reader = Reader::open(file("a.fvecs", bytes));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*reader)->rows(), 10u);
  Batch batch;
  for (const std::size_t wanted : {4u, 4u, 2u, 0u}) {
    ASSERT_TRUE((*reader)->read(4, batch).ok());
    ASSERT_EQ(batch.rows, wanted);
    if (wanted == 0) break;
    EXPECT_EQ(batch.values[0], static_cast<float>(batch.first_row));
  }
  EXPECT_EQ((*reader)->locate(7), "row 7 at byte 84");
}

TEST_F(MatrixTest, LoadsTheFirstRowsOnly) {
  Result<Matrix> matrix = load(file("a.fbin", raw(2) + raw(3) + raw_all(kValues)), 1);
  ASSERT_TRUE(matrix.ok());
  EXPECT_EQ(matrix->rows, 1u);
  EXPECT_EQ(matrix->values.size(), 3u);
}

TEST_F(MatrixTest, X4NanPassesThrough) {
  Result<Matrix> matrix = load(file("a.fvecs", vecs_row<float>({std::nanf(""), 1})));
  ASSERT_TRUE(matrix.ok());
  EXPECT_TRUE(std::isnan(matrix->values[0]));
}

TEST_F(MatrixTest, EmptyMissingAndUnknownFiles) {
  for (const char* name : {"a.fvecs", "a.bvecs", "a.fbin", "a.npy", "a.jsonl"}) {
    EXPECT_HAS(error_of(file(name, "")), "byte 0: the file is empty");
  }
  EXPECT_HAS(error_of(file("b.jsonl", "\n \n")), "no line holds anything");
  EXPECT_EQ(load(path("none.fvecs")).status().code(), StatusCode::kNotFound);
  EXPECT_HAS(error_of(file("a.txt", "1")), "ending \".txt\"");
  EXPECT_HAS(error_of(file("a.ivecs", "1")), "for truth only");
  std::filesystem::create_directory(path("folder.npy"));
  EXPECT_HAS(error_of(path("folder.npy")), "not a regular file");
}

TEST_F(MatrixTest, X2DimensionsOutOfRange) {
  EXPECT_HAS(error_of(file("a.fvecs", raw(0) + raw(1.0f))), "byte 0: dimension 0");
  EXPECT_HAS(error_of(file("b.fvecs", raw(-1) + raw(1.0f))), "dimension -1");
  EXPECT_HAS(error_of(file("c.fvecs", raw(65537) + raw(1.0f))), "dimension 65537");
  EXPECT_HAS(error_of(file("d.fbin", raw(1) + raw(65537) + raw(1.0f))), "byte 4: dimension 65537");
  EXPECT_HAS(
      error_of(file("e.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 0)}", ""))),
      "dimension 0");
}

TEST_F(MatrixTest, X2DimensionChangesInside) {
  const std::string bytes = vecs_row<float>({1, 2}) + raw(3) + raw(1.0f) + raw(2.0f);
  EXPECT_HAS(error_of(file("a.fvecs", bytes)), "byte 12: row 1 has dimension 3, row 0 has 2");
  EXPECT_HAS(error_of(file("a.jsonl", "{\"vector\":[1,2]}\n{\"vector\":[1]}\n")),
             "line 2: dimension 1, line 1 has 2");
}

TEST_F(MatrixTest, X3TruncatedRowsAreNamed) {
  std::string fvecs = vecs_row<float>({1, 2}) + vecs_row<float>({3, 4});
  fvecs.pop_back();
  EXPECT_HAS(error_of(file("a.fvecs", fvecs)), "byte 12: row 1 is truncated: 11 of 12 bytes");
  EXPECT_HAS(error_of(file("b.fvecs", std::string("\1\0", 2))), "the file ends here");
  EXPECT_HAS(error_of(file("a.fbin", raw(2) + raw(3) + raw_all<float>({1, 2, 3, 4}))),
             "byte 20: row 1 is truncated");
  const std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}";
  EXPECT_HAS(error_of(file("a.npy", npy(head, raw_all<float>({1, 2, 3, 4})))),
             "row 1 is truncated");
}

TEST_F(MatrixTest, X1DeclaredSizesMustFitTheFile) {
  EXPECT_HAS(error_of(file("a.fbin", raw(2147483647) + raw(65536) + raw(1.0f))), "truncated");
  EXPECT_HAS(error_of(file("b.fbin", raw(-1) + raw(2) + raw(1.0f))), "-1 rows declared");
  EXPECT_HAS(error_of(file("c.fbin", raw(1) + raw(1) + raw(1.0f) + raw(2.0f))),
             "byte 12: 4 bytes after the 1 declared rows");
  for (const char* shape : {"(18446744073709551615, 65536)", "(4611686018427387904, 4)"}) {
    const std::string head =
        std::string("{'descr': '<f4', 'fortran_order': False, 'shape': ") + shape;
    EXPECT_HAS(error_of(file("a.npy", npy(head + "}", raw(1.0f)))), "truncated");
  }
  std::string lying = npy("{}", "");
  lying[8] = lying[9] = '\xFF';
  EXPECT_HAS(error_of(file("b.npy", lying)), "header of 65535 bytes");
}

TEST_F(MatrixTest, MalformedNpyHeaders) {
  const std::string f4 = "'descr': '<f4', ";
  const std::string order = "'fortran_order': False, ";
  const std::string data = raw(1.0f);
  const auto error = [&](const std::string& head) {
    return error_of(file("a.npy", npy(head, data)));
  };
  // What is not read comes with the command that converts it.
  const std::string python = "python3 -c";
  for (const char* descr : {"<c8", "|O", "<U4", "|S4", "<f16", "<M8[s]", "|V4", "f4", "<x4"}) {
    const std::string refused =
        error(std::string("{'descr': '") + descr + "', " + order + "'shape': (1, 1)}");
    EXPECT_HAS(refused, std::string("'") + descr + "'");
    EXPECT_HAS(refused, python);
  }
  EXPECT_HAS(error("{'descr': [('a', '<f4')], " + order + "'shape': (1, 1)}"),
             "structured_to_unstructured");
  EXPECT_HAS(error("{" + f4 + "'fortran_order': True, 'shape': (1, 1)}"), "fortran order");
  EXPECT_HAS(error("{" + f4 + "'fortran_order': True, 'shape': (1, 1)}"), python);
  EXPECT_HAS(error("{" + f4 + order + "'shape': (1,)}"), "1 axes");
  EXPECT_HAS(error("{" + f4 + order + "'shape': (1,)}"), "a.reshape(1, -1)");
  EXPECT_HAS(error("{" + f4 + order + "'shape': (-1, 1)}"), "shape");
  EXPECT_HAS(error("{" + f4 + order + "}"), "missing");
  EXPECT_HAS(error("{" + f4 + f4 + order + "'shape': (1, 1)}"), "key 'descr'");
  EXPECT_HAS(error("{" + f4), "no key");
  EXPECT_HAS(error(""), "no dictionary");
  EXPECT_HAS(error_of(file("b.npy", npy("{}", "", 3))), "npy version 3");
  EXPECT_HAS(error_of(file("c.npy", "something else")), "not a npy file");
}

TEST_F(MatrixTest, LongTextsInALineAreNoReasonToRefuseIt) {
  const std::string text = std::string(7u << 20, 'x') + "\\\\\\\"" + std::string(1u << 20, 'y');
  const std::string line =
      "{\"text\":\"" + text + "\",\"" + text + "\":[\"\\\"\"],\"label\":7,\"vector\":[1,2]}\n";
  const std::string path = file("a.jsonl", "{\"label\":6,\"vector\":[3,4]}\n" + line + line);
  expect_rows(path, 3, 2, {3, 4, 1, 2, 1, 2});
  EXPECT_HAS(error_of(file("b.jsonl", "{\"text\":\"" + text + "\",\"vector\":[1,x]}")),
             "row 0 at line 1: not JSON");
}

TEST_F(MatrixTest, ReadsTruth) {
  const std::string good = vecs_row<std::int32_t>({3, 1}) + vecs_row<std::int32_t>({0, 7});
  Result<Truth> truth = load_truth(file("a.ivecs", good));
  ASSERT_TRUE(truth.ok());
  EXPECT_EQ(truth->rows, 2u);
  EXPECT_EQ(truth->columns, 2u);
  EXPECT_EQ(truth->values, (std::vector<std::int32_t>{3, 1, 0, 7}));

  const auto message = [&](const std::string& bytes) {
    return load_truth(file("b.ivecs", bytes)).status().message();
  };
  EXPECT_HAS(message(good.substr(0, 20)), "row 1 is truncated");
  EXPECT_HAS(message(vecs_row<std::int32_t>({3, -1})), "byte 8: row 0: neighbor -1 is negative");
  EXPECT_HAS(message(vecs_row<std::int32_t>({3, 1}) + raw(1) + raw(2) + raw(3)),
             "row 1 has 1 columns");
  EXPECT_HAS(message(""), "empty");
  EXPECT_HAS(load_truth(file("c.fvecs", good)).status().message(), ".ivecs");
}

TEST_F(MatrixTest, OverlapCountsTheFirstK) {
  const std::vector<std::int32_t> truth = {4, 5, 6, 7};
  EXPECT_DOUBLE_EQ(overlap(truth, std::vector<Label>{5, 4, 9}, 2), 1.0);
  EXPECT_DOUBLE_EQ(overlap(truth, std::vector<Label>{5, 7}, 2), 0.5);
  EXPECT_DOUBLE_EQ(overlap(truth, std::vector<Label>{}, 2), 0.0);
}

}  // namespace
}  // namespace vicinal::matrix
