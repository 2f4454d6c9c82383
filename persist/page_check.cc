#include "persist/page_check.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "persist/descriptor.h"
#include "persist/format.h"
#include "persist/lmdb_page.h"

namespace vicinal::persist {
namespace {

constexpr unsigned kDeepest = 32;  // LMDB's cursors have no room for more

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
        to_write_(what != PageCheck::kToRead),
        to_copy_(what == PageCheck::kToCopy) {}

  /// False: the snapshot's meta page has been written again.
  Result<bool> run(std::uint64_t transaction) {
    for (const std::uint64_t meta : {0, 1}) {
      LmdbPage page(page_size_);
      if (Status s = read(meta, page.data(), page.size()); !s.ok()) return s;
      if (page.transaction() != transaction) continue;
      // LMDB picks the newest by its number, and then reads the page where it should be.
      if (meta != transaction % kLmdbMetaPages) {
        return damaged_page(
            meta, fmt::format("transaction {} belongs into the other meta page", transaction));
      }
      transaction_ = transaction;
      pages_ = page.last_page() + 1;
      seen_.assign(std::min(pages_, file_pages_), false);
      if (Status s = walk(page.free_pages(), Content::kFreePages); !s.ok()) return s;
      // Every commit but the first frees pages: an older meta page with a damaged number shows.
      if (!to_write_) last_freeing_ = last_freeing(page.free_pages());
      if (last_freeing_ != 0 && last_freeing_ != transaction_) {
        return damaged_page(meta,
                            fmt::format("it is of transaction {}, the last that freed pages was {}",
                                        transaction_, last_freeing_));
      }
      if (Status s = walk(page.names(), Content::kNames); !s.ok()) return s;
      if (to_write_) {
        if (Status s = check_missing(); !s.ok()) return s;
      }
      if (Status s = check_other_meta(1 - meta); !s.ok()) return s;
      return true;
    }
    return false;
  }

 private:
  Status read(std::uint64_t page, std::byte* out, std::size_t bytes) const {
    const ssize_t n = read_at(fd_, out, bytes, static_cast<off_t>(page * page_size_));
    if (n == static_cast<ssize_t>(bytes)) return {};
    if (n < 0) {
      return Status::io_error(
          fmt::format("reading page {} of the data file: {}", page, std::strerror(errno)));
    }
    return truncated();
  }

  Status truncated() const {
    return Status::corruption(fmt::format("the data file is truncated: {} bytes, its pages need {}",
                                          file_bytes_,
                                          std::max(pages_, kLmdbMetaPages) * page_size_));
  }

  /// That it is not of the next commit, passed over because its number is damaged. Beside writers it may
  /// be newer, and says so; while there is a snapshot, nobody uses the pages of the one before. Where a
  /// power cut has taken the next one's meta page under relaxed durability, the one that stands there in
  /// its place is older, and the commit after the next may have begun to write over what it leads to.
  Status check_other_meta(std::uint64_t meta) const {
    LmdbPage page(page_size_);
    if (Status s = read(meta, page.data(), page.size()); !s.ok()) return s;
    const std::uint64_t freed_by = last_freeing(page.free_pages());
    if (freed_by <= page.transaction() || freed_by != transaction_ + 1) return {};
    return damaged_page(meta, fmt::format("it says transaction {}, and transaction {} freed pages",
                                          page.transaction(), freed_by));
  }

  /// The last transaction in a database of free pages; 0 when it cannot be told: pages of an older
  /// meta page may be used again.
  std::uint64_t last_freeing(const LmdbDatabase& database) const {
    std::uint64_t number = database.root();
    for (unsigned depth = 1; depth <= kDeepest && number >= kLmdbMetaPages && number != kNoLmdbPage;
         ++depth) {
      LmdbPage page(page_size_);
      if (!read_checked(number, page).ok()) return 0;
      const LmdbNode last = page.node(page.nodes() - 1);
      if (page.is_leaf()) {
        const std::span<const std::byte> key = last.key();
        return key.size() == sizeof(std::uint64_t) ? number_at<std::uint64_t>(key.data()) : 0;
      }
      number = last.below();
    }
    return 0;
  }

  Status walk(const LmdbDatabase& database, Content content) {
    // By its flags LMDB chooses how keys compare and what its cursors are.
    if (database.flags() != (content == Content::kFreePages ? LmdbDatabase::kNumbers : 0)) {
      return Status::corruption(
          fmt::format("the data file is damaged: a database of kind {}", database.flags()));
    }
    Walked walked;
    walked.content = content;
    if (database.root() != kNoLmdbPage) {
      if (Status s = visit(database.root(), walked, 1); !s.ok()) return s;
    }
    if (!to_write_ || walked.entries == database.entries()) return {};
    return Status::corruption(
        fmt::format("the data file is damaged: a database has {} entries, and {} lie below page {}",
                    database.entries(), walked.entries, database.root()));
  }

  Status visit(std::uint64_t number, Walked& walked, unsigned depth) {
    if (depth > kDeepest) return damaged_page(number, "too far below its root");
    if (Status s = mark(number); !s.ok()) return s;
    LmdbPage page(page_size_);
    if (Status s = read_checked(number, page); !s.ok()) return s;
    for (std::size_t i = 0; i < page.nodes(); ++i) {
      Status status = page.is_leaf() ? leaf_node(number, page.node(i), walked)
                                     : branch_node(number, page.node(i), i == 0, walked, depth);
      if (!status.ok()) return status;
    }
    return {};
  }

  /// A branch or leaf whose header and nodes can be believed.
  Status read_checked(std::uint64_t number, LmdbPage& page) const {
    if (Status s = read(number, page.data(), page.size()); !s.ok()) return s;
    return page.check(number, to_write_);
  }

  Status branch_node(std::uint64_t number, const LmdbNode& node, bool first, Walked& walked,
                     unsigned depth) {
    if (!first) {
      const std::span<const std::byte> key = node.key();
      if (Status s = check_order(number, key, walked); !s.ok()) return s;
      walked.least.assign(key.begin(), key.end());
    }
    return visit(node.below(), walked, depth + 1);
  }

  /// For writing: `key` comes after all before it, and not before the key of its branch.
  Status check_order(std::uint64_t number, std::span<const std::byte> key,
                     const Walked& walked) const {
    if (!to_write_ || ((walked.last.empty() || before(walked.content, walked.last, key)) &&
                       !before(walked.content, key, walked.least))) {
      return {};
    }
    return damaged_page(number, "its keys are not in order");
  }

  Status leaf_node(std::uint64_t number, const LmdbNode& node, Walked& walked) {
    const std::span<const std::byte> key = node.key();
    if (Status s = check_order(number, key, walked); !s.ok()) return s;
    walked.last.assign(key.begin(), key.end());
    ++walked.entries;
    const std::uint16_t flags = node.flags();
    const std::uint64_t length = node.length();
    const std::byte* const data = node.data();
    if (flags == LmdbNode::kDatabase && walked.content == Content::kNames) {
      if (length != LmdbDatabase::kBytes) {
        return damaged_page(number, fmt::format("a database of {} bytes", length));
      }
      return walk(LmdbDatabase(data), Content::kRecords);
    }
    if (flags != 0 && flags != LmdbNode::kBigData)
      return damaged_page(number, fmt::format("a node of kind {}", flags));
    const std::uint64_t first = flags == LmdbNode::kBigData ? number_at<std::uint64_t>(data) : 0;
    if (flags == LmdbNode::kBigData) {
      if (Status s = check_value(number, first, length); !s.ok()) return s;
    }
    if (!to_write_) return {};
    if (walked.content != Content::kFreePages) return {};
    if (key.size() != sizeof(std::uint64_t)) {
      return damaged_page(number, fmt::format("a key of {} bytes", key.size()));
    }
    return free_pages(number, number_at<std::uint64_t>(key.data()), data, length, first);
  }

  /// A page in use, met for the first time.
  Status mark(std::uint64_t page) {
    if (page < kLmdbMetaPages || page >= pages_) return damaged_page(page, "there is no such page");
    if (page >= file_pages_) return truncated();
    if (seen_[page]) return damaged_page(page, "two pages lead to it, or it is free");
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
    if (twice != missing_.end()) return damaged_page(*twice, "it is free twice");
    return pages_ > file_pages_ && missing_.size() != pages_ - file_pages_ ? truncated() : Status();
  }

  /// The pages of a large value, `number` leads to them.
  Status check_value(std::uint64_t number, std::uint64_t first, std::uint64_t length) {
    if (first < kLmdbMetaPages || first >= pages_) {
      return damaged_page(number, fmt::format("a value in page {} of {}", first, pages_));
    }
    const std::uint64_t most = (pages_ - first) * page_size_ - kLmdbPageHeader;
    if (length > most) {
      return damaged_page(number,
                          fmt::format("a value of {} bytes where {} are left", length, most));
    }
    const std::uint64_t end = first + (kLmdbPageHeader + length + page_size_ - 1) / page_size_;
    if (end > file_pages_) return truncated();
    for (std::uint64_t page = first; page < end && to_write_; ++page) {
      if (Status s = mark(page); !s.ok()) return s;
    }
    if (!to_copy_) return {};
    std::array<std::byte, kLmdbPageHeader> header;
    if (Status s = read(first, header.data(), header.size()); !s.ok()) return s;
    return LmdbLargeValue(header.data()).check(first, length, page_size_);
  }

  /// The pages that a transaction freed: how many, then their numbers, the greatest first; under
  /// the transaction's number.
  Status free_pages(std::uint64_t number, std::uint64_t by, const std::byte* data,
                    std::uint64_t length, std::uint64_t first) {
    constexpr std::size_t kNumber = sizeof(std::uint64_t);
    if (by <= last_freeing_ || by > transaction_) {
      return damaged_page(number,
                          fmt::format("pages freed by transaction {} after {} and before {}", by,
                                      last_freeing_, transaction_));
    }
    last_freeing_ = by;
    std::vector<std::byte> own;
    if (first != 0) {
      own.resize(kLmdbPageHeader + length);
      if (Status s = read(first, own.data(), own.size()); !s.ok()) return s;
      data = &own[kLmdbPageHeader];
    }
    const std::uint64_t count = length < kNumber ? 0 : number_at<std::uint64_t>(data);
    if (length < kNumber || count > length / kNumber - 1) {
      return damaged_page(number, fmt::format("{} free pages in {} bytes", count, length));
    }
    std::uint64_t last = pages_;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto page = number_at<std::uint64_t>(data + i * kNumber);
      if (page < kLmdbMetaPages || page >= last) {
        return damaged_page(number, fmt::format("a free page {} after {}", page, last));
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
  const bool to_copy_;
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
    Result<ReadTransaction> snapshot = environment.read(Stay::kLong);
    if (!snapshot.ok()) return snapshot.status();
    struct stat file {};
    if (::fstat(fd, &file) != 0) {
      return Status::io_error(fmt::format("{}: {}", environment.path(), std::strerror(errno)));
    }
    const auto bytes = static_cast<std::uint64_t>(file.st_size);
    PageWalk walk(fd, environment.page_size(), bytes, what);
    const Result<bool> done = walk.run((*snapshot)->id());
    if (!done.ok()) return done.status();
    if (*done) return {};
  }
  return Status::busy("the store changes too fast to be looked at");
}

}  // namespace vicinal::persist
