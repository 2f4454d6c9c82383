#include "persist/page_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "persist/format.h"

namespace vicinal::persist {
namespace {

// LMDB 0.9's pages on a 64-bit host.
//   A page: 0 its number u64, 10 flags u16, 12 end of the list of places u16, 14 begin of the nodes
//   u16, 16 the list: the place of each node u16.
//   A node: 0 low and 2 high half of the data's length (of a branch: of the page below, whose
//   highest bits are the flags), 4 flags u16, 6 length of the key u16, 8 the key, then the data or,
//   if it has pages of its own, the number of the first.
//   The nodes lie side by side from the begin to the page's end, each of an even length, in any
//   order; the list has them by ascending key. A branch's first key counts for nothing.
//   A database: 6 depth u16, 32 its entries u64, 40 its root page u64; 48 bytes. Two of them in a
//   meta page: of free pages and of the names of the others.
constexpr std::uint16_t kBranch = 1;
constexpr std::uint16_t kLeaf = 2;
constexpr std::uint16_t kBigData = 1;
constexpr std::uint16_t kDatabase = 2;
constexpr std::size_t kNodeHeader = 8;
constexpr std::size_t kLongestKey = 511;
constexpr std::size_t kDatabaseBytes = 48;
constexpr std::size_t kEntriesAt = 32;
constexpr std::size_t kRootAt = 40;
constexpr std::size_t kMetaDatabases = kLmdbPageHeader + 24;
constexpr std::size_t kMetaLastPage = kLmdbPageHeader + 120;
constexpr std::size_t kMetaTransaction = kLmdbPageHeader + 128;
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
constexpr std::uint64_t kMetaPages = 2;
constexpr unsigned kDeepest = 32;  // LMDB's cursors have no room for more

using Page = std::vector<std::byte>;

template <typename T>
T number_at(const std::byte* bytes) {
  T value{};
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

enum class Content : std::uint8_t { kFreePages, kNames, kRecords };

/// A database while it is walked.
struct Walked {
  Content content = Content::kRecords;
  std::uint64_t entries = 0;
  std::vector<std::byte> last;   ///< the last entry's key; empty before the first
  std::vector<std::byte> least;  ///< what comes now is not less: the key of the branch above it
};

/// Whether `a` comes before `b`: by bytes, then by length; keys of free pages are numbers.
bool before(Content content, std::span<const std::byte> a, std::span<const std::byte> b) {
  if (content == Content::kFreePages && a.size() == sizeof(std::uint64_t) && a.size() == b.size()) {
    return number_at<std::uint64_t>(a.data()) < number_at<std::uint64_t>(b.data());
  }
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

class PageWalk {
 public:
  /// `file_bytes`: asked for since the snapshot began. What it uses was written before its meta
  /// page, so the file has it by now.
  PageWalk(int fd, std::uint64_t page_size, std::uint64_t file_bytes, PageCheck what)
      : fd_(fd),
        page_size_(page_size),
        file_bytes_(file_bytes),
        file_pages_(file_bytes / page_size),
        to_write_(what == PageCheck::kToWrite) {}

  /// False: the snapshot's meta page has been written again.
  Result<bool> run(std::uint64_t transaction) {
    for (const std::uint64_t meta : {0, 1}) {
      Page page(page_size_);
      if (Status s = read(meta, page.data(), page.size()); !s.ok()) return s;
      if (number_at<std::uint64_t>(&page[kMetaTransaction]) != transaction) continue;
      transaction_ = transaction;
      pages_ = number_at<std::uint64_t>(&page[kMetaLastPage]) + 1;
      seen_.assign(std::min(pages_, file_pages_), false);
      const std::byte* const databases = &page[kMetaDatabases];
      if (Status s = walk(databases, Content::kFreePages); !s.ok()) return s;
      // Every commit but the first frees pages: an older meta page with a damaged number shows.
      if (to_write_ && last_freeing_ != 0 && last_freeing_ != transaction_) {
        return damage(meta, fmt::format("it is of transaction {}, the last that freed pages was {}",
                                        transaction_, last_freeing_));
      }
      if (Status s = walk(databases + kDatabaseBytes, Content::kNames); !s.ok()) return s;
      if (to_write_) {
        if (Status s = check_missing(); !s.ok()) return s;
        if (Status s = check_other_meta(1 - meta); !s.ok()) return s;
      }
      return true;
    }
    return false;
  }

 private:
  Status read(std::uint64_t page, std::byte* out, std::size_t bytes) const {
    const ssize_t n = ::pread(fd_, out, bytes, static_cast<off_t>(page * page_size_));
    if (n == static_cast<ssize_t>(bytes)) return {};
    if (n < 0) {
      return Status::io_error(
          fmt::format("reading page {} of the data file: {}", page, std::strerror(errno)));
    }
    return truncated();
  }

  Status truncated() const {
    return Status::corruption(fmt::format("the data file is truncated: {} bytes, its pages need {}",
                                          file_bytes_, std::max(pages_, kMetaPages) * page_size_));
  }

  static Status damage(std::uint64_t page, std::string_view what) {
    return Status::corruption(fmt::format("page {} of the data file is damaged: {}", page, what));
  }

  /// That it is not of a newer commit, passed over because its number is damaged.
  Status check_other_meta(std::uint64_t meta) const {
    Page page(page_size_);
    if (Status s = read(meta, page.data(), page.size()); !s.ok()) return s;
    const std::uint64_t freed_by = last_freeing(&page[kMetaDatabases]);
    if (freed_by <= transaction_) return {};
    return damage(meta, fmt::format("it says transaction {}, and transaction {} freed pages",
                                    number_at<std::uint64_t>(&page[kMetaTransaction]), freed_by));
  }

  /// The last transaction in a database of free pages; 0 when it cannot be told: pages of an older
  /// meta page may be used again.
  std::uint64_t last_freeing(const std::byte* database) const {
    auto number = number_at<std::uint64_t>(database + kRootAt);
    for (unsigned depth = 1; depth <= kDeepest && number >= kMetaPages && number != kNoPage;
         ++depth) {
      Page page(page_size_);
      if (!read_checked(number, page).ok()) return 0;
      const auto lower = number_at<std::uint16_t>(&page[12]);
      const std::byte* const node = &page[number_at<std::uint16_t>(&page[lower - 2])];
      const std::span<const std::byte> key = key_of(node);
      if (number_at<std::uint16_t>(&page[10]) == kLeaf) {
        return key.size() == sizeof(std::uint64_t) ? number_at<std::uint64_t>(key.data()) : 0;
      }
      number = below(node);
    }
    return 0;
  }

  Status walk(const std::byte* database, Content content) {
    const auto root = number_at<std::uint64_t>(database + kRootAt);
    const auto entries = number_at<std::uint64_t>(database + kEntriesAt);
    Walked walked;
    walked.content = content;
    if (root != kNoPage) {
      if (Status s = visit(root, walked, 1); !s.ok()) return s;
    }
    if (!to_write_ || walked.entries == entries) return {};
    return Status::corruption(
        fmt::format("the data file is damaged: a database has {} entries, and {} lie below page {}",
                    entries, walked.entries, root));
  }

  Status visit(std::uint64_t number, Walked& walked, unsigned depth) {
    if (depth > kDeepest) return damage(number, "too far below its root");
    if (Status s = mark(number); !s.ok()) return s;
    Page page(page_size_);
    if (Status s = read_checked(number, page); !s.ok()) return s;
    const auto flags = number_at<std::uint16_t>(&page[10]);
    const auto lower = number_at<std::uint16_t>(&page[12]);
    for (std::size_t at = kLmdbPageHeader; at < lower; at += 2) {
      const std::byte* const node = &page[number_at<std::uint16_t>(&page[at])];
      Status status = flags == kLeaf
                          ? leaf_node(number, node, walked)
                          : branch_node(number, node, at == kLmdbPageHeader, walked, depth);
      if (!status.ok()) return status;
    }
    return {};
  }

  /// A branch or leaf whose header and nodes can be believed.
  Status read_checked(std::uint64_t number, Page& page) const {
    if (Status s = read(number, page.data(), page.size()); !s.ok()) return s;
    const auto flags = number_at<std::uint16_t>(&page[10]);
    if (number_at<std::uint64_t>(page.data()) != number)
      return damage(number, "it has another number");
    if (flags != kBranch && flags != kLeaf) return damage(number, "neither branch nor leaf");
    return check_nodes(number, page, flags);
  }

  /// That the page's nodes and their keys lie within it; for writing, that they fill it: LMDB moves
  /// nodes by the lengths of others.
  Status check_nodes(std::uint64_t number, const Page& page, std::uint16_t flags) const {
    const auto lower = number_at<std::uint16_t>(&page[12]);
    const auto upper = number_at<std::uint16_t>(&page[14]);
    const std::size_t fewest = flags == kBranch ? 2 : 1;
    if (lower < kLmdbPageHeader + 2 * fewest || lower % 2 != 0 || lower > upper ||
        upper > page_size_) {
      return damage(number, fmt::format("its list of places ends at {}, its nodes begin at {}",
                                        lower, upper));
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> nodes;  // begin and end
    for (std::size_t at = kLmdbPageHeader; at < lower; at += 2) {
      const auto place = number_at<std::uint16_t>(&page[at]);
      if (place < upper || place % 2 != 0 || place + kNodeHeader > page_size_) {
        return damage(number, fmt::format("a node at {}", place));
      }
      const std::byte* const node = &page[place];
      const std::size_t key = key_of(node).size();
      const bool may_lack_it = flags == kBranch && at == kLmdbPageHeader;
      if (key > kLongestKey || key > page_size_ - place - kNodeHeader ||
          (key == 0 && !may_lack_it)) {
        return damage(number, fmt::format("a key of {} bytes", key));
      }
      const std::uint64_t size = kNodeHeader + key + (flags == kLeaf ? inline_bytes(node) : 0);
      if (flags == kLeaf && number_at<std::uint16_t>(node + 4) != 0 && size > page_size_ - place) {
        return damage(number, "a node is cut off");
      }
      nodes.emplace_back(place, place + (size + 1) / 2 * 2);
    }
    if (!to_write_) return {};
    std::sort(nodes.begin(), nodes.end());
    std::uint64_t end = upper;
    for (const auto& [first, last] : nodes) {
      if (first != end) {
        return damage(number, fmt::format("a node ends at {}, the next begins at {}", end, first));
      }
      end = last;
    }
    if (end == page_size_) return {};
    return damage(number, fmt::format("its nodes end at {}", end));
  }

  static std::span<const std::byte> key_of(const std::byte* node) {
    return {node + kNodeHeader, number_at<std::uint16_t>(node + 6)};
  }
  /// Where a branch's node leads.
  static std::uint64_t below(const std::byte* node) {
    return number_at<std::uint32_t>(node) | std::uint64_t{number_at<std::uint16_t>(node + 4)} << 32;
  }
  /// What a leaf's node holds behind its key.
  static std::uint64_t inline_bytes(const std::byte* node) {
    const bool elsewhere = (number_at<std::uint16_t>(node + 4) & kBigData) != 0;
    return elsewhere ? sizeof(std::uint64_t) : number_at<std::uint32_t>(node);
  }

  Status branch_node(std::uint64_t number, const std::byte* node, bool first, Walked& walked,
                     unsigned depth) {
    const std::span<const std::byte> key = key_of(node);
    if (!first) {
      if (Status s = check_order(number, key, walked); !s.ok()) return s;
      walked.least.assign(key.begin(), key.end());
    }
    return visit(below(node), walked, depth + 1);
  }

  /// For writing: `key` comes after all before it, and not before the key of its branch.
  Status check_order(std::uint64_t number, std::span<const std::byte> key,
                     const Walked& walked) const {
    if (!to_write_ || ((walked.last.empty() || before(walked.content, walked.last, key)) &&
                       !before(walked.content, key, walked.least))) {
      return {};
    }
    return damage(number, "its keys are not in order");
  }

  Status leaf_node(std::uint64_t number, const std::byte* node, Walked& walked) {
    const std::uint64_t length = number_at<std::uint32_t>(node);
    const auto flags = number_at<std::uint16_t>(node + 4);
    const std::span<const std::byte> key = key_of(node);
    if (Status s = check_order(number, key, walked); !s.ok()) return s;
    walked.last.assign(key.begin(), key.end());
    ++walked.entries;
    const std::byte* const data = key.data() + key.size();
    if (flags == kDatabase && walked.content == Content::kNames) {
      if (length != kDatabaseBytes) {
        return damage(number, fmt::format("a database of {} bytes", length));
      }
      return walk(data, Content::kRecords);
    }
    if (flags != 0 && flags != kBigData)
      return damage(number, fmt::format("a node of kind {}", flags));
    const std::uint64_t first = flags == kBigData ? number_at<std::uint64_t>(data) : 0;
    if (flags == kBigData) {
      if (Status s = check_value(number, first, length); !s.ok()) return s;
    }
    if (!to_write_) return {};
    if (walked.content != Content::kFreePages) return {};
    if (key.size() != sizeof(std::uint64_t)) {
      return damage(number, fmt::format("a key of {} bytes", key.size()));
    }
    return free_pages(number, number_at<std::uint64_t>(key.data()), data, length, first);
  }

  /// A page in use, met for the first time.
  Status mark(std::uint64_t page) {
    if (page < kMetaPages || page >= pages_) return damage(page, "there is no such page");
    if (page >= file_pages_) return truncated();
    if (seen_[page]) return damage(page, "two pages lead to it, or it is free");
    seen_[page] = true;
    return {};
  }

  /// A free page may be missing from the file.
  Status mark_free(std::uint64_t page) {
    if (page < file_pages_) return mark(page);
    missing_.push_back(page);
    return {};
  }

  /// LMDB leaves free pages at the end unwritten, and only those.
  Status check_missing() {
    std::sort(missing_.begin(), missing_.end());
    const auto twice = std::adjacent_find(missing_.begin(), missing_.end());
    if (twice != missing_.end()) return damage(*twice, "it is free twice");
    return pages_ > file_pages_ && missing_.size() != pages_ - file_pages_ ? truncated() : Status();
  }

  /// The pages of a large value, `number` leads to them.
  Status check_value(std::uint64_t number, std::uint64_t first, std::uint64_t length) {
    if (first < kMetaPages || first >= pages_) {
      return damage(number, fmt::format("a value in page {} of {}", first, pages_));
    }
    const std::uint64_t most = (pages_ - first) * page_size_ - kLmdbPageHeader;
    if (length > most) {
      return damage(number, fmt::format("a value of {} bytes where {} are left", length, most));
    }
    const std::uint64_t end = first + (kLmdbPageHeader + length + page_size_ - 1) / page_size_;
    if (end > file_pages_) return truncated();
    for (std::uint64_t page = first; page < end && to_write_; ++page) {
      if (Status s = mark(page); !s.ok()) return s;
    }
    return {};
  }

  /// The pages that a transaction freed: how many, then their numbers, the greatest first; under
  /// the transaction's number.
  Status free_pages(std::uint64_t number, std::uint64_t by, const std::byte* data,
                    std::uint64_t length, std::uint64_t first) {
    constexpr std::size_t kNumber = sizeof(std::uint64_t);
    if (by <= last_freeing_ || by > transaction_) {
      return damage(number, fmt::format("pages freed by transaction {} after {} and before {}", by,
                                        last_freeing_, transaction_));
    }
    last_freeing_ = by;
    Page own;
    if (first != 0) {
      own.resize(kLmdbPageHeader + length);
      if (Status s = read(first, own.data(), own.size()); !s.ok()) return s;
      data = &own[kLmdbPageHeader];
    }
    const std::uint64_t count = length < kNumber ? 0 : number_at<std::uint64_t>(data);
    if (length < kNumber || count > length / kNumber - 1) {
      return damage(number, fmt::format("{} free pages in {} bytes", count, length));
    }
    std::uint64_t last = pages_;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto page = number_at<std::uint64_t>(data + i * kNumber);
      if (page < kMetaPages || page >= last) {
        return damage(number, fmt::format("a free page {} after {}", page, last));
      }
      if (Status s = mark_free(page); !s.ok()) return s;
      last = page;
    }
    return {};
  }

  const int fd_;
  const std::uint64_t page_size_;
  const std::uint64_t file_bytes_;
  const std::uint64_t file_pages_;  ///< whole ones
  const bool to_write_;
  std::uint64_t transaction_ = 0;
  std::uint64_t last_freeing_ = 0;
  std::uint64_t pages_ = 0;             ///< as the meta page says
  std::vector<bool> seen_;              ///< of those that the file has
  std::vector<std::uint64_t> missing_;  ///< free ones that it has not
};

}  // namespace

Status check_pages(Environment& environment, PageCheck what) {
  const int fd = environment.file_descriptor();
  if (fd < 0) return {};
  // Who writes beside a reader may write a meta page again before it is read here.
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    Result<ReadTransaction> snapshot = environment.read();
    if (!snapshot.ok()) return snapshot.status();
    PageWalk walk(fd, environment.page_size(), environment.file_bytes(), what);
    const Result<bool> done = walk.run((*snapshot)->id());
    if (!done.ok()) return done.status();
    if (*done) return {};
  }
  return Status::busy("the store changes too fast to be opened for reading");
}

}  // namespace vicinal::persist
