#include "persist/lmdb_map.h"

#include <fmt/format.h>
#include <lmdb.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "persist/lmdb_status.h"

namespace vicinal::persist {
namespace {

constexpr std::uint64_t kLargestStep = 1ull << 20;
constexpr std::uint64_t kLargestReserve = 64ull << 20;
constexpr std::uint64_t kSmallestStep = 16 << 10;

}  // namespace

void LmdbMap::attach(MDB_env* env, std::uint32_t page_size) {
  env_ = env;
  page_size_ = page_size;
  note_bytes();
}

std::uint64_t LmdbMap::limit(WriteKind kind) const {
  return kind == WriteKind::kAdds ? most_ - std::min(most_ / 2, kLargestReserve) : most_;
}

std::uint64_t LmdbMap::step_bytes() const {
  const std::uint64_t reserve = most_ - limit(WriteKind::kAdds);
  return most_ == 0 ? kLargestStep : std::clamp(reserve / 8, kSmallestStep, kLargestStep);
}

std::uint64_t LmdbMap::room_left(std::uint64_t file_bytes) const {
  if (most_ == 0) return std::numeric_limits<std::uint64_t>::max();
  return most_ - std::min(most_, file_bytes);
}

// What does not add may have grown the map into the reserve: it ends before it again, or where the
// file does.
Status LmdbMap::keep_reserve(const std::string& path, ReaderGate& gate) {
  const std::uint64_t most = limit(WriteKind::kAdds);
  if (most == 0 || lost_) return {};
  MDB_envinfo info{};
  (void)mdb_env_info(env_, &info);
  const std::uint64_t used = (std::uint64_t{info.me_last_pgno} + 1) * page_size_;
  const std::uint64_t wanted = std::max(most - most % page_size_, used);
  if (used > most) {  // the file has grown into it: pages inside that are free make up for that
    const std::uint64_t reserve = most_ - most;
    const std::uint64_t all = free_bytes() + most_;
    const std::uint64_t free = all - std::min(all, used);  // the limit may be less than the file
    if (free < reserve) {
      return Status::full(fmt::format(
          "{}: {} bytes are free of max_map_bytes {}, and {} are kept for erasing and checkpoints",
          path, free, most_, reserve));
    }
  }
  if (info.me_mapsize <= wanted) return {};
  const ReaderGate::Closed closed(gate);
  return move(wanted, "keeping room in the map");
}

// By transaction, how many pages it freed and which.
std::uint64_t free_pages(MDB_txn* txn) {
  constexpr MDB_dbi kFreeList = 0;
  std::uint64_t pages = 0;
  MDB_cursor* cursor = nullptr;
  if (mdb_cursor_open(txn, kFreeList, &cursor) == MDB_SUCCESS) {
    MDB_val key{};
    MDB_val value{};
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
      std::size_t count = 0;
      if (value.mv_size >= sizeof count) std::memcpy(&count, value.mv_data, sizeof count);
      pages += count;
    }
    mdb_cursor_close(cursor);
  }
  return pages;
}

std::uint64_t LmdbMap::free_bytes() const {
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return 0;
  const std::uint64_t pages = free_pages(txn);
  mdb_txn_abort(txn);
  return pages * page_size_;
}

Status LmdbMap::grow(WriteKind kind, const std::string& path, ReaderGate& gate) {
  const std::uint64_t now = bytes();
  const std::uint64_t most = limit(kind);
  if (most != 0 && now + page_size_ > most) {
    return Status::full(fmt::format(
        "{}: the store needs more than its limit: map {} bytes, max_map_bytes {}, of which {} are "
        "kept for erasing and checkpoints",
        path, now, most_, most_ - limit(WriteKind::kAdds)));
  }
  const ReaderGate::Closed closed(gate);
  return set(most == 0 ? now * 2 : std::min(now * 2, most));
}

Status LmdbMap::set(std::uint64_t wanted) {
  wanted -= wanted % page_size_;
  const std::uint64_t now = bytes();
  if (wanted <= now) {
    return Status::full(
        fmt::format("the map has {} bytes and may not grow: max_map_bytes {}", now, most_));
  }
  // LMDB unmaps first and maps then: were the second step refused, the environment would be lost.
  // So ask for the difference beforehand.
  void* probe =
      ::mmap(nullptr, wanted - now, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) {
    return Status::full(
        fmt::format("no address space to grow the map from {} to {} bytes", now, wanted));
  }
  ::munmap(probe, wanted - now);
  return move(wanted, "growing the map");
}

Status LmdbMap::adopt() {
  if (lost_) return Status::io_error("the map is lost");
  return move(0, "adopting the map size of another process");
}

Status LmdbMap::move(std::uint64_t bytes, const char* what) {
  const int rc = mdb_env_set_mapsize(env_, bytes);
  if (rc != MDB_SUCCESS) {
    lost_ = true;
    return lmdb_status(rc, what);
  }
  note_bytes();
  if (begin_ != nullptr) learn();
  return lmdb_status(rc, what);
}

// A key lies in its leaf, whose first number says which page of the file it is.
void LmdbMap::learn() {
  begin_ = nullptr;
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return;
  MDB_dbi names = 0;
  MDB_cursor* cursor = nullptr;
  MDB_val key{};
  MDB_val value{};
  if (mdb_dbi_open(txn, nullptr, 0, &names) == MDB_SUCCESS &&
      mdb_cursor_open(txn, names, &cursor) == MDB_SUCCESS &&
      mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == MDB_SUCCESS) {
    const auto* const first = static_cast<const std::byte*>(key.mv_data);
    const std::byte* const leaf = first - reinterpret_cast<std::uintptr_t>(first) % page_size_;
    std::uint64_t number = 0;
    std::memcpy(&number, leaf, sizeof number);
    begin_ = leaf - number * page_size_;
  }
  if (cursor != nullptr) mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
}

void LmdbMap::note_bytes() {
  MDB_envinfo info{};
  (void)mdb_env_info(env_, &info);
  bytes_.store(info.me_mapsize, std::memory_order_relaxed);
}

}  // namespace vicinal::persist
