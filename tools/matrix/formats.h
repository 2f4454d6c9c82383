// The readers behind Reader::open(), one function a format. Internal to tools/matrix.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/matrix/input_file.h"
#include "tools/matrix/matrix.h"
#include "vicinal/status.h"

namespace vicinal::matrix {

enum class Element : std::uint8_t { kFloat32, kFloat16, kUint8 };

constexpr std::size_t element_bytes(Element element) {
  return element == Element::kFloat32 ? 4 : element == Element::kFloat16 ? 2 : 1;
}

/// The value of an IEEE half-precision number, exact.
float half_to_float(std::uint16_t half);

/// Rows of equal size at a fixed place: all formats but jsonl.
struct RowLayout {
  std::uint64_t data_offset = 0;
  std::uint64_t rows = 0;
  std::uint32_t dimension = 0;
  Element element = Element::kFloat32;
  bool dimension_before_row = false;  ///< an int32 before every row (the .vecs family)

  std::size_t prefix_bytes() const { return dimension_before_row ? 4 : 0; }
  std::size_t row_bytes() const {
    return prefix_bytes() + static_cast<std::size_t>(dimension) * element_bytes(element);
  }
};

/// The layout of a .vecs file whose elements take `bytes_per_element` bytes; checks X1 and X2 for
/// the first row and the file's size.
Result<RowLayout> vecs_layout(const InputFile& file, std::size_t bytes_per_element);
/// fbin: int32 rows, int32 dimension, then the rows.
Result<RowLayout> fbin_layout(const InputFile& file);
/// npy with a matrix of float32, float16 or uint8.
Result<RowLayout> npy_layout(const InputFile& file);

std::unique_ptr<Reader> make_fixed_reader(InputFile file, const RowLayout& layout);
Result<std::unique_ptr<Reader>> make_jsonl_reader(InputFile file);

/// What a npy header says.
struct NpyHeader {
  std::uint64_t data_offset = 0;
  std::string descr;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};
/// Errors: kInvalidArgument  not a npy file, version above 2, malformed header.
Result<NpyHeader> read_npy_header(const InputFile& file);

/// X2: kInvalidArgument unless 1 <= dimension <= kMaxDimension.
Status check_dimension(const InputFile& file, std::uint64_t offset, std::int64_t dimension);

}  // namespace vicinal::matrix
