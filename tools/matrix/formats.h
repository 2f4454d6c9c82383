// The readers behind Reader::open(), one function a format. Internal to tools/matrix.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/matrix/elements.h"
#include "tools/matrix/input_file.h"
#include "tools/matrix/matrix.h"
#include "vicinal/status.h"

namespace vicinal::matrix {

/// Rows of equal size at a fixed place: all formats but jsonl and hnswlib.
struct RowLayout {
  std::uint64_t data_offset = 0;
  std::uint64_t rows = 0;
  std::uint32_t dimension = 0;
  Element element;
  bool dimension_before_row = false;  ///< an int32 before every row (the .vecs family)
  std::uint64_t labels_offset = 0;    ///< of int64 labels, one a row; 0: none
  std::string note;                   ///< see Reader::note()
  Origin origin;

  std::size_t prefix_bytes() const { return dimension_before_row ? 4 : 0; }
  std::size_t row_bytes() const {
    return prefix_bytes() + static_cast<std::size_t>(dimension) * element.bytes();
  }
};

/// The layout of a .vecs file; checks X1 and X2 for the first row and the file's size.
Result<RowLayout> vecs_layout(const InputFile& file, ElementKind kind);
/// fbin, u8bin, i8bin: int32 rows, int32 dimension, then the rows.
Result<RowLayout> bin_layout(const InputFile& file, ElementKind kind);
/// npy with a matrix of any element there is.
Result<RowLayout> npy_layout(const InputFile& file);

/// A file that faiss wrote of IndexFlat, or of IndexIDMap around one.
Result<RowLayout> faiss_layout(const InputFile& file);
/// One array of a npz file. Replaces `file` by the array, unpacked.
Result<RowLayout> npz_layout(InputFile& file, const Wanted& wanted);

std::unique_ptr<Reader> make_fixed_reader(InputFile file, const RowLayout& layout);
Result<std::unique_ptr<Reader>> make_jsonl_reader(InputFile file);
/// The rows of an index of hnswlib that are not deleted.
Result<std::unique_ptr<Reader>> make_hnswlib_reader(InputFile file, const Wanted& wanted);

/// What a npy header says.
struct NpyHeader {
  std::uint64_t data_offset = 0;
  std::string descr;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};
/// Errors: kInvalidArgument  not a npy file, version above 2, malformed header.
Result<NpyHeader> read_npy_header(const InputFile& file);

/// What makes a npy file that is read here of `file`: a command for a shell, `expression` being the
/// matrix in terms of the array `a`.
std::string npy_command(const InputFile& file, const std::string& expression,
                        const std::string& element = "<f4");

/// Reader::note() of elements that numpy calls `descr`: empty for float32 as it is here.
std::string element_note(const std::string& descr, const Element& element);

/// X2: kInvalidArgument unless 1 <= dimension <= kMaxDimension.
Status check_dimension(const InputFile& file, std::uint64_t offset, std::int64_t dimension);

}  // namespace vicinal::matrix
