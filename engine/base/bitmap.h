// Bitmap: the lower bits of a chunk of labels as a Roaring bitmap.
//
// A chunk is the labels that share their upper 48 bits. Only label_set.cc includes this: CRoaring
// shows nowhere else.
// Ownership: owns the bitmap.
// Threads: as CRoaring's: reading from any.
#pragma once

#include <roaring/roaring.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "vicinal/types.h"

namespace vicinal::engine {

struct FreeBitmap {
  void operator()(roaring_bitmap_t* bitmap) const { roaring_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<roaring_bitmap_t, FreeBitmap>;

inline constexpr unsigned kLowBits = 16;
inline std::uint64_t high_part(Label label) { return label >> kLowBits; }
inline std::uint32_t low_part(Label label) { return static_cast<std::uint16_t>(label); }
inline Label label_of(std::uint64_t high, std::uint32_t low) { return high << kLowBits | low; }

// CRoaring is C: all it says of memory that it did not get is a null result, and growing a bitmap
// says nothing.
inline Bitmap checked(roaring_bitmap_t* bitmap) {
  if (bitmap == nullptr) throw std::bad_alloc();
  return Bitmap(bitmap);
}

inline Bitmap bitmap_of(std::span<const Label> chunk) {
  Bitmap bitmap = checked(roaring_bitmap_create());
  std::array<std::uint32_t, 1024> lows;
  while (!chunk.empty()) {
    const std::size_t count = std::min(chunk.size(), lows.size());
    std::transform(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(count), lows.begin(),
                   low_part);
    roaring_bitmap_add_many(bitmap.get(), count, lows.data());
    chunk = chunk.subspan(count);
  }
  return bitmap;
}

// Calls `visit` with each value, ascending, until it returns false; returns whether it never did.
// Not roaring_iterate(): an exception of `visit` may not pass through C.
template <typename Visit>
bool for_each_low(const roaring_bitmap_t& bitmap, const Visit& visit) {
  roaring_uint32_iterator_t at;
  roaring_init_iterator(&bitmap, &at);
  std::array<std::uint32_t, 256> lows;
  while (at.has_value) {
    const std::uint32_t count = roaring_read_uint32_iterator(&at, lows.data(), lows.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!visit(lows[i])) return false;
    }
  }
  return true;
}

}  // namespace vicinal::engine
