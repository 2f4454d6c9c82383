// Entries of a candidate pool: packed, held against a bound, sorted. Included once per CPU target.
//
// A handful of newcomers in random order: whatever branches on them is mispredicted every other
// time, so they are compressed by a mask and sorted by counting, for each, how many are less (Xeon
// with AVX-512, ns for 8, 16 and 50 entries: by insertion 60, 160 and 830, so 18, 28 and 180). A
// search took a tenth less time by it, an insert a twelfth.
#if defined(VICINAL_KERNELS_ENTRIES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_ENTRIES_INL_H_
#undef VICINAL_KERNELS_ENTRIES_INL_H_
#else
#define VICINAL_KERNELS_ENTRIES_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// An entry as a signed number of the same order, which is what AVX2 compares.
constexpr std::int64_t kFlip = INT64_MIN;

/// Flipped entries of a vector's worth of nodes.
template <class D>
HWY_INLINE hn::Vec<D> flipped_entries(D d, const std::uint32_t* ids, const float* distances) {
  const hn::Rebind<float, D> df;
  const hn::Rebind<std::int32_t, D> d32;
  const hn::Rebind<std::uint32_t, D> du32;
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(d32, hn::LoadU(df, distances));
  const auto below_sign = hn::Set(d32, INT32_MAX);
  const auto ordered = hn::Xor(bits, hn::And(hn::BroadcastSignBit(bits), below_sign));
  const auto high = hn::ShiftLeft<32>(hn::PromoteTo(d, ordered));
  const auto low = hn::ShiftLeft<1>(hn::PromoteTo(du, hn::LoadU(du32, ids)));
  return hn::Or(high, hn::BitCast(d, low));
}

/// Writes the entries of the mask, and as many numbers behind them as fill a vector; returns how
/// many. Not CompressStore(): with memory as its target the instruction takes hundreds of cycles on
/// Zen 4.
template <class D>
HWY_INLINE std::size_t keep(D d, hn::Vec<D> entries, hn::Mask<D> mask, std::int64_t* out) {
  hn::StoreU(hn::Compress(entries, mask), d, out);
  return hn::CountTrue(d, mask);
}

/// Keeps those of the last `count` nodes, less than a vector's, that are below `limit`.
template <class D>
HWY_INLINE std::size_t keep_last(D d, const std::uint32_t* ids, const float* distances,
                                 std::size_t count, hn::Vec<D> limit, std::int64_t* out) {
  HWY_ALIGN std::uint32_t last_ids[hn::MaxLanes(d)] = {};
  HWY_ALIGN float last_distances[hn::MaxLanes(d)] = {};
  std::memcpy(last_ids, ids, count * sizeof(std::uint32_t));
  std::memcpy(last_distances, distances, count * sizeof(float));
  const auto entries = flipped_entries(d, last_ids, last_distances);
  return keep(d, entries, hn::And(hn::FirstN(d, count), hn::Lt(entries, limit)), out);
}

inline std::size_t sorted_entries(const std::uint32_t* ids, const float* distances,
                                  std::size_t count, std::uint64_t bound, std::uint64_t* out) {
  const hn::ScalableTag<std::int64_t> d;
  constexpr std::size_t kRoom = kMostEntries + hn::MaxLanes(d);
  HWY_ALIGN std::int64_t kept[kRoom];
  HWY_ALIGN std::int64_t ranks[kRoom];
  const std::size_t lanes = hn::Lanes(d);
  const auto limit = hn::Set(d, static_cast<std::int64_t>(bound) ^ kFlip);
  std::size_t n = 0;
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto entries = flipped_entries(d, ids + i, distances + i);
    n += keep(d, entries, hn::Lt(entries, limit), kept + n);
  }
  if (i < count) n += keep_last(d, ids + i, distances + i, count - i, limit, kept + n);
  // What stands behind the last is ranked too, and never looked at.
  for (i = 0; i < n; i += lanes) {
    const auto entries = hn::Load(d, kept + i);
    auto rank = hn::Zero(d);
    for (std::size_t j = 0; j < n; ++j) {
      rank = hn::Sub(rank, hn::VecFromMask(d, hn::Lt(hn::Set(d, kept[j]), entries)));
    }
    hn::Store(rank, d, ranks + i);
  }
  for (i = 0; i < n; ++i) out[ranks[i]] = static_cast<std::uint64_t>(kept[i] ^ kFlip);
  return n;
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
