#include "graph/row_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace vicinal::graph {
namespace {

const kernels::RowDistances& distances_of(const kernels::KernelTable& kernels, Storage storage) {
  switch (storage) {
    case Storage::kFloat32:
      break;
    case Storage::kFloat16:
      return kernels.float16;
    case Storage::kInt8:
      return kernels.scaled;
  }
  return kernels.float32;
}

float largest_of(const float* vector, std::size_t n) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(vector[i]));
  return largest;
}

std::uint16_t* halves_of(std::byte* row) { return reinterpret_cast<std::uint16_t*>(row); }
const std::uint16_t* halves_of(const std::byte* row) {
  return reinterpret_cast<const std::uint16_t*>(row);
}

}  // namespace

RowCodec::RowCodec(const RowShape& shape, Metric metric, const kernels::KernelTable& kernels)
    : shape_(shape), metric_(metric), kernels_(&kernels) {
  const kernels::RowDistances& distances = distances_of(kernels, shape.storage);
  const bool l2 = metric == Metric::kSquaredL2;
  many_ = l2 ? distances.squared_l2_many : distances.dot_many;
  by_pointer_ = l2 ? distances.squared_l2_rows : distances.dot_rows;
}

Status RowCodec::encode(const float* vector, std::byte* row) const {
  switch (shape_.storage) {
    case Storage::kFloat32:
      break;
    case Storage::kFloat16:
      return encode_halves(vector, row);
    case Storage::kInt8:
      return encode_scaled(vector, row);
  }
  std::memcpy(row, vector, shape_.bytes());
  return {};
}

Status RowCodec::encode_halves(const float* vector, std::byte* row) const {
  constexpr std::uint16_t kInfinite = 0x7C00;
  constexpr std::uint16_t kMagnitude = 0x7FFF;
  const std::size_t n = shape_.dimension;
  std::uint16_t* const halves = halves_of(row);
  kernels_->encode_f16(vector, n, halves);
  std::uint16_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    largest = std::max<std::uint16_t>(largest, halves[i] & kMagnitude);
  }
  if (largest >= kInfinite) {
    const std::uint16_t* const first = std::find_if(
        halves, halves + n, [](std::uint16_t half) { return (half & kMagnitude) >= kInfinite; });
    return Status::invalid_argument(
        fmt::format("component {} is {}, beyond 65504, the largest number of float16 storage",
                    first - halves, vector[first - halves]));
  }
  if (largest == 0 && metric_ == Metric::kCosine) {
    return Status::invalid_argument(
        fmt::format("the largest component is {}, which float16 storage rounds to 0 (from {} on it "
                    "does not): a zero vector has no direction under cosine",
                    largest_of(vector, n), std::nextafter(0x1p-25F, 1.0F)));
  }
  return {};
}

Status RowCodec::encode_scaled(const float* vector, std::byte* row) const {
  const std::size_t n = shape_.dimension;
  const std::size_t offset = kernels::scale_offset(n);
  const float scale = kernels_->encode_scaled(vector, n, reinterpret_cast<std::int8_t*>(row));
  std::memset(row + n, 0, offset - n);
  std::memcpy(row + offset, &scale, sizeof scale);
  if (scale > 0) return {};
  const float largest = largest_of(vector, n);
  if (largest == 0) return {};
  return Status::invalid_argument(
      fmt::format("the largest component is {}, below {}, the least that int8 storage has a scale "
                  "for",
                  largest, 127 * 0x1p-126F));
}

void RowCodec::decode(const std::byte* row, float* vector) const {
  const std::size_t n = shape_.dimension;
  switch (shape_.storage) {
    case Storage::kFloat32:
      break;
    case Storage::kFloat16:
      kernels_->decode_f16(halves_of(row), n, vector);
      return;
    case Storage::kInt8: {
      float scale = 0;
      std::memcpy(&scale, row + kernels::scale_offset(n), sizeof scale);
      kernels_->decode_scaled(reinterpret_cast<const std::int8_t*>(row), scale, n, vector);
      return;
    }
  }
  std::memcpy(vector, row, shape_.bytes());
}

const float* RowCodec::floats(const std::byte* row, internal::Vector<float>& room) const {
  if (shape_.storage == Storage::kFloat32) return reinterpret_cast<const float*>(row);
  room.resize(shape_.dimension);
  decode(row, room.data());
  return room.data();
}

bool RowCodec::canonical(const std::byte* row, const float* vector) const {
  if (shape_.storage == Storage::kFloat32) return true;
  internal::Vector<std::byte> again(shape_.bytes());
  return encode(vector, again.data()).ok() && std::memcmp(again.data(), row, shape_.bytes()) == 0;
}

Result<std::vector<std::vector<float>>> decode_all(const RowShape& shape,
                                                   std::span<const std::vector<std::byte>> rows) {
  const Result<const kernels::KernelTable*> kernels = kernels::active_kernels();
  if (!kernels) return kernels.status();
  const RowCodec codec(shape, Metric::kCosine, **kernels);  // no metric matters here
  std::vector<std::vector<float>> vectors(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    vectors[i].resize(shape.dimension);
    codec.decode(rows[i].data(), vectors[i].data());
  }
  return vectors;
}

}  // namespace vicinal::graph
