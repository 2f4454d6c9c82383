// RowCodec: what a stored row is under a Config: from a vector to its row and back, and distances to
// rows.
//
// What: the only place that knows the types of Storage; everyone else hands on the bytes of rows. A row
// has RowShape::bytes() of them, as vicinal::stored_bytes() says. Rows of float32 lie on 4-byte
// boundaries, of float16 on 2-byte ones, of int8 on 4-byte ones for the scale in them.
// Ownership: none; copyable. The kernels outlive it.
// Threads: any; every method is const.
//
// Invariants (checked by tests/graph/row_codec_test.cc):
//   G18  What a row decodes to encodes to that row: what get() answered is, upserted again, unchanged.
//   G19  Exact distances are those of the decoded vector, whatever the type (K7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/allocator.h"
#include "graph/types.h"
#include "kernels/kernels.h"
#include "vicinal/status.h"

namespace vicinal::graph {

class RowCodec {
 public:
  RowCodec(const RowShape& shape, Metric metric, const kernels::KernelTable& kernels);

  const RowShape& shape() const { return shape_; }

  /// Writes the row of `vector`, `dimension` finite components.
  /// Errors: kInvalidArgument for what the type has no number for, or under cosine no direction.
  Status encode(const float* vector, std::byte* row) const;
  /// `dimension` floats to `vector`.
  void decode(const std::byte* row, float* vector) const;
  /// The decoded row: itself where it is float32, else in `room`.
  const float* floats(const std::byte* row, internal::Vector<float>& room) const;
  /// Whether encode() can have written this row; `vector` is what it decodes to, finite.
  bool canonical(const std::byte* row, const float* vector) const;

  /// Dot products, or squared distances under squared L2, of a float32 query and rows by id.
  void compare(const float* query, const kernels::RowTable& table, const std::uint32_t* ids,
               std::size_t count, kernels::Rows where, float* out) const {
    many_(query, table, ids, count, shape_.dimension, where, out);
  }
  /// The same by pointer.
  void compare(const float* query, const std::byte* const* rows, std::size_t count,
               float* out) const {
    by_pointer_(query, rows, count, shape_.dimension, out);
  }

 private:
  Status encode_halves(const float* vector, std::byte* row) const;
  Status encode_scaled(const float* vector, std::byte* row) const;

  RowShape shape_;
  Metric metric_;
  const kernels::KernelTable* kernels_;
  kernels::RowDistances::Many many_;
  kernels::RowDistances::ByPointer by_pointer_;
};

/// Rows of an index that is not loaded; what is empty stays so.
/// Errors: kInvalidArgument for a forced CPU target that does not exist here.
Result<std::vector<std::vector<float>>> decode_all(const RowShape& shape,
                                                   std::span<const std::vector<std::byte>> rows);

}  // namespace vicinal::graph
