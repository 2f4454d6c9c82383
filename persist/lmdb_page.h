// LMDB 0.9's pages on a 64-bit host, as bytes that nobody believes yet.
//
//   A page: 0 its number u64, 10 flags u16, 12 end of the list of places u16, 14 begin of the nodes
//   u16, 16 the list: the place of each node u16.
//   A node: 0 low and 2 high half of the data's length (of a branch: of the page below, whose
//   highest bits are the flags), 4 flags u16, 6 length of the key u16, 8 the key, then the data or,
//   if it has pages of its own, the number of the first.
//   The nodes lie side by side from the begin to the page's end, each of an even length, in any
//   order; the list has them by ascending key. A branch's first key counts for nothing.
//   A large value's first page: 0 its number u64, 10 flags u16, 12 how many pages u32; behind the
//   header the value, which goes on in the pages that follow.
//   A database: 4 flags u16 (how its keys compare, whether one has several values), 6 depth u16, 32
//   its entries u64, 40 its root page u64; 48 bytes. Two of them in a meta page: of free pages and of
//   the names of the others.
//
// Ownership: LmdbPage owns its bytes, the others are views.
// Threads: pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "persist/format.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// The first two are meta pages.
inline constexpr std::uint64_t kLmdbMetaPages = 2;
/// In place of a page's number.
inline constexpr std::uint64_t kNoLmdbPage = ~std::uint64_t{0};

/// A number of LMDB's, aligned or not.
template <typename T>
T number_at(const std::byte* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// kCorruption with the page and what is wrong with it.
Status damaged_page(std::uint64_t page, std::string_view what);

/// A database as its parent describes it.
class LmdbDatabase {
 public:
  static constexpr std::size_t kBytes = 48;
  static constexpr std::uint16_t kNumbers = 8;  ///< flag: keys are u64 of the host
  explicit LmdbDatabase(const std::byte* bytes) : bytes_(bytes) {}
  std::uint16_t flags() const { return number_at<std::uint16_t>(bytes_ + 4); }
  std::uint64_t entries() const { return number_at<std::uint64_t>(bytes_ + 32); }
  std::uint64_t root() const { return number_at<std::uint64_t>(bytes_ + 40); }

 private:
  const std::byte* bytes_;
};

/// A node within its page, which has room for the header.
class LmdbNode {
 public:
  static constexpr std::size_t kHeader = 8;
  static constexpr std::uint16_t kBigData = 1;   ///< flag: the data has pages of its own
  static constexpr std::uint16_t kDatabase = 2;  ///< flag: the data is a LmdbDatabase

  explicit LmdbNode(const std::byte* bytes) : bytes_(bytes) {}
  std::span<const std::byte> key() const {
    return {bytes_ + kHeader, number_at<std::uint16_t>(bytes_ + 6)};
  }
  /// Where a branch's node leads.
  std::uint64_t below() const {
    return number_at<std::uint32_t>(bytes_) | std::uint64_t{number_at<std::uint16_t>(bytes_ + 4)}
                                                  << 32;
  }
  // Of a leaf's node.
  std::uint16_t flags() const { return number_at<std::uint16_t>(bytes_ + 4); }
  std::uint64_t length() const { return number_at<std::uint32_t>(bytes_); }
  const std::byte* data() const { return key().data() + key().size(); }
  /// What it holds behind its key.
  std::uint64_t inline_bytes() const {
    return (flags() & kBigData) != 0 ? sizeof(std::uint64_t) : length();
  }

 private:
  const std::byte* bytes_;
};

/// The header of a large value's first page: LMDB copies, and frees, as many pages as it says.
class LmdbLargeValue {
 public:
  explicit LmdbLargeValue(const std::byte* header) : header_(header) {}
  /// Errors: kCorruption unless it is page `number` and has the pages that a value of `bytes` needs.
  Status check(std::uint64_t number, std::uint64_t bytes, std::uint64_t page_size) const;

 private:
  const std::byte* header_;
};

/// Room for one page; what it says of itself.
class LmdbPage {
 public:
  explicit LmdbPage(std::size_t page_size) : bytes_(page_size) {}
  std::byte* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }

  // -- A meta page
  std::uint64_t transaction() const { return at<std::uint64_t>(kMeta + 128); }
  std::uint64_t last_page() const { return at<std::uint64_t>(kMeta + 120); }
  LmdbDatabase free_pages() const { return LmdbDatabase(&bytes_[kMeta + 24]); }
  LmdbDatabase names() const { return LmdbDatabase(&bytes_[kMeta + 24 + LmdbDatabase::kBytes]); }

  // -- A branch or leaf
  /// That it is one, of this number, whose nodes and their keys lie within it; and, where it is to
  /// be written, that they fill it: LMDB moves nodes by the lengths of others.
  Status check(std::uint64_t number, bool filled) const;
  // What follows can be believed after check().
  bool is_leaf() const { return flags() == kLeaf; }
  std::size_t nodes() const { return (lower() - kLmdbPageHeader) / 2; }
  LmdbNode node(std::size_t i) const { return LmdbNode(&bytes_[place(i)]); }

 private:
  static constexpr std::size_t kMeta = kLmdbPageHeader;
  static constexpr std::uint16_t kBranch = 1;
  static constexpr std::uint16_t kLeaf = 2;

  template <typename T>
  T at(std::size_t offset) const {
    return number_at<T>(&bytes_[offset]);
  }
  std::uint16_t flags() const { return at<std::uint16_t>(10); }
  std::size_t lower() const { return at<std::uint16_t>(12); }
  std::size_t upper() const { return at<std::uint16_t>(14); }
  std::size_t place(std::size_t i) const { return at<std::uint16_t>(kLmdbPageHeader + 2 * i); }
  Status check_lists(std::uint64_t number) const;
  Status check_node(std::uint64_t number, std::size_t i, std::uint64_t* end) const;

  std::vector<std::byte> bytes_;
};

}  // namespace vicinal::persist
