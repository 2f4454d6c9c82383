#include "persist/dropped.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vicinal::persist {
namespace {

// Of leaves that a transaction writes; others wait for it.
constexpr std::uint64_t kStepBytes = 1ull << 20;
// A value with pages of its own is not written: those become free, by their numbers.
constexpr std::uint64_t kMostOfValue = 2048;

/// Deletes records of `range` as long as `*left` lasts.
Status delete_some(Transaction& transaction, const IndexRange& range, std::uint64_t* left) {
  std::vector<std::vector<std::byte>> keys;
  {
    Result<IndexRange::Walk> walk = range.walk(transaction);
    if (!walk) return walk.status();
    Result<bool> more = walk->first();
    for (; more.ok() && *more && *left > 0; more = walk->next()) {
      keys.emplace_back(walk->key().begin(), walk->key().end());
      const std::uint64_t bytes = std::min<std::uint64_t>(walk->value().size(), kMostOfValue);
      *left -= std::min(*left, bytes + keys.back().size());
    }
    if (!more) return more.status();
  }
  for (const std::vector<std::byte>& key : keys) {
    if (Status s = range.remove(transaction, key); !s.ok()) return s;
  }
  return *left > 0 ? range.remove(transaction, kTailKey) : Status();
}

}  // namespace

Result<bool> delete_dropped(Transaction& transaction, const SharedDatabases& databases,
                            Catalog& catalog) {
  const Result<std::uint32_t> index = catalog.first_dropped(transaction);
  if (!index) return index.status();
  if (*index == 0) return false;
  std::uint64_t left = kStepBytes;
  for (const DatabaseHandle handle : databases.handles()) {
    if (Status s = delete_some(transaction, IndexRange(handle, *index), &left); !s.ok()) return s;
    if (left == 0) return true;
  }
  if (Status s = catalog.forget_dropped(transaction, *index); !s.ok()) return s;
  const Result<std::uint32_t> next = catalog.first_dropped(transaction);
  if (!next) return next.status();
  return *next != 0;
}

}  // namespace vicinal::persist
