#include "tests/faults/limits.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "tests/power/contents.h"

namespace vicinal::testing {
namespace {

constexpr int kSkipped = 77;
constexpr unsigned kSeconds = 60;

/// Runs `work`, which returns what was broken, in a process of its own.
void in_child(Campaign& campaign, const std::string& what,
              const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return campaign.finding("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kSeconds);
    const std::string broken = work();
    const std::size_t size = std::min<std::size_t>(broken.size(), 4000);
    const bool told = ::write(ends[1], broken.data(), size) == static_cast<ssize_t>(size);
    ::_exit(told && broken.empty() ? 0 : 1);
  }
  ::close(ends[1]);
  std::string broken(4000, ' ');
  const ssize_t size = ::read(ends[0], broken.data(), broken.size());
  ::close(ends[0]);
  broken.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return campaign.finding("no process");
  if (WIFSIGNALED(status)) {
    campaign.finding(fmt::format("{}: signal {}", what, WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    campaign.finding(what + ": " + broken);
  }
}

/// Whether this process has got a file system of `bytes` at `folder`, for itself alone.
bool mount_small(const std::string& folder, std::uint64_t bytes) {
  if (::unshare(CLONE_NEWNS) != 0) return false;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  return ::mount("tmpfs", folder.c_str(), "tmpfs", 0, fmt::format("size={}", bytes).c_str()) == 0;
}

bool may_mount(const std::string& folder) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(mount_small(folder, 1 << 20) ? 0 : kSkipped);
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

/// A store that is filled, on a disk or in an address space that ends.
class Filling {
 public:
  explicit Filling(std::string path) : path_(std::move(path)) {
    options_.background = false;
    options_.durability = Durability::kRelaxed;
  }

  std::string broken() const { return broken_; }

  Status open() {
    index_.reset();
    store_.reset();  // of an opening that came no further than to the store
    Result<Store> store = Store::open(path_, options_);
    if (!store) return store.status();
    store_ = std::make_unique<Store>(*store);
    Result<Index> index = store_->index("graph", contents_index("graph"));
    if (!index) return index.status();
    index_ = std::make_unique<Index>(*index);
    return {};
  }

  /// Until it refuses; singly, or in batches.
  Status fill(std::size_t at_once) {
    for (;;) {
      std::vector<Label> labels;
      std::vector<float> rows;
      for (std::size_t i = 0; i < at_once; ++i) {
        labels.push_back(next_ + i);
        const std::vector<float> row = contents_vector(labels.back(), 1);
        rows.insert(rows.end(), row.begin(), row.end());
      }
      const Status s = at_once == 1 ? index_->upsert(labels[0], rows).status()
                                    : index_->upsert_batch(labels, rows).status();
      if (!s.ok()) return s;
      for (const Label label : labels) expected_[label] = 1;
      next_ += at_once;
    }
  }

  void expect_full(const char* what, const Status& status) {
    const bool numbers = status.message().find_first_of("0123456789") != std::string::npos;
    if (status.code() != StatusCode::kFull || !numbers) breaks(what, status);
  }

  void check(const char* when) {
    const auto labels = read_labels(*index_);
    if (!labels) return breaks(when, labels.status());
    if (*labels != expected_) breaks(when, Status::corruption("another content"));
  }

  /// Half of it is erased; what that gives back is used again.
  void use_again() {
    std::vector<Label> half;
    for (const auto& [label, generation] : expected_) {
      if (half.size() < expected_.size() / 2) half.push_back(label);
    }
    for (const Label label : half) {
      const Status s = index_->erase(label).status();
      if (s.ok()) expected_.erase(label);
      if (!s.ok()) first_refusal_ = first_refusal_.ok() ? s : first_refusal_;
    }
    const Status repaired = index_->repair().status();
    const Status written = index_->checkpoint();
    check("after erasing");
    erased_ = half.size();
    if (!repaired.ok() && repaired.code() != StatusCode::kFull) breaks("repair", repaired);
    if (!written.ok() && written.code() != StatusCode::kFull) breaks("checkpoint", written);
    freed_ = repaired.ok() && written.ok();
  }

  bool freed() const { return freed_; }
  const Status& first_refusal() const { return first_refusal_; }
  std::size_t size() const { return expected_.size(); }

  void close() {
    const Status s = store_->close();
    if (!s.ok() && s.code() != StatusCode::kFull && s.code() != StatusCode::kIoError) {
      breaks("closing", s);
    }
    index_.reset();
    store_.reset();
  }

  void breaks(const char* what, const Status& status) {
    if (broken_.empty()) broken_ = fmt::format("{}: {}", what, status.to_string());
  }

  Store& store() { return *store_; }

 private:
  const std::string path_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Index> index_;
  std::map<Label, std::uint32_t> expected_;
  Label next_ = 0;
  std::size_t erased_ = 0;
  bool freed_ = false;
  Status first_refusal_;
  std::string broken_;
};

/// Fills what the disk has left, but for `left` bytes.
void fill_rest(const std::string& folder, std::uint64_t left) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return;
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  std::ofstream out(folder + "/rest", std::ios::binary);
  const std::vector<char> page(4096);
  for (std::uint64_t done = 0; done + left < free; done += page.size()) {
    out.write(page.data(), static_cast<std::streamsize>(page.size()));
  }
}

std::string fill_disk(const std::string& mounted, std::uint64_t bytes, std::size_t at_once) {
  if (!mount_small(mounted, bytes)) return fmt::format("mounting: {}", ::strerror(errno));
  Filling filling(mounted + "/store");
  const Status opened = filling.open();
  if (!opened.ok()) {
    filling.expect_full("opening", opened);
    return filling.broken();
  }
  filling.expect_full("filling", filling.fill(at_once));
  filling.check("when full");
  filling.close();
  if (const Status s = filling.open(); !s.ok()) filling.breaks("opening again", s);
  if (!filling.broken().empty()) return filling.broken();
  filling.check("opened again");
  filling.use_again();
  const std::size_t before = filling.size();
  filling.expect_full("filling again", filling.fill(1));
  if (filling.freed() && filling.size() == before) {
    filling.breaks("room that was freed", Status::full("none of it can be used"));
  }
  filling.check("filled again");
  filling.close();
  if (const Status s = filling.open(); !s.ok()) filling.breaks("opening at last", s);
  if (filling.broken().empty()) filling.check("opened at last");
  return filling.broken();
}

/// A disk on which `left` bytes are left when a store is made or opened.
std::string open_on_full(const std::string& mounted, std::uint64_t left) {
  if (!mount_small(mounted, 4 << 20)) return fmt::format("mounting: {}", ::strerror(errno));
  fill_rest(mounted, left);
  Filling filling(mounted + "/store");
  const Status opened = filling.open();
  if (!opened.ok()) filling.expect_full("making a store", opened);
  std::filesystem::remove(mounted + "/rest");
  if (const Status s = filling.open(); !s.ok() && !opened.ok()) filling.breaks("with room", s);
  return filling.broken();
}

std::string in_little_memory(const std::string& folder, std::uint64_t bytes) {
  std::filesystem::remove_all(folder);
  Filling filling(folder);
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  struct rlimit before {};
  (void)::getrlimit(RLIMIT_AS, &before);
  struct rlimit limit = before;
  limit.rlim_cur = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  if (::setrlimit(RLIMIT_AS, &limit) != 0) return "setrlimit";
  bool opened = false;
  try {
    const Status s = filling.open();
    opened = s.ok();
    if (!s.ok() && s.code() != StatusCode::kFull && s.code() != StatusCode::kIoError) {
      filling.breaks("opening", s);
    }
    for (int i = 0; i < 4 && opened && filling.size() < 20'000; ++i) {
      const Status full = filling.fill(500);
      if (full.code() != StatusCode::kFull && full.code() != StatusCode::kIoError) {
        filling.breaks("filling", full);
      }
    }
  } catch (const std::bad_alloc&) {
    // Allowed: nothing of the call is there.
  }
  (void)::setrlimit(RLIMIT_AS, &before);
  if (opened) {
    filling.check("with memory");
    filling.close();
  }
  if (const Status s = filling.open(); !s.ok()) filling.breaks("opening with memory", s);
  if (filling.broken().empty()) filling.check("opened with memory");
  return filling.broken();
}

}  // namespace

void fill_disks(Campaign& campaign) {
  const std::string mounted = campaign.file("small");
  std::filesystem::create_directory(mounted);
  if (!may_mount(mounted)) {
    fmt::print("no small file systems: this process may not mount\n");
    return;
  }
  for (const std::uint64_t kib : {96, 160, 256, 512, 1024, 2048}) {
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{300}}) {
      in_child(campaign, fmt::format("a disk of {} KiB, {} at once", kib, at_once),
               [&] { return fill_disk(mounted, kib << 10, at_once); });
      campaign.add("full disks");
    }
  }
  for (std::uint64_t left = 0; left <= 128 << 10; left += 4096) {
    in_child(campaign, fmt::format("{} bytes left", left),
             [&] { return open_on_full(mounted, left); });
    campaign.add("full disks");
  }
}

void limit_memory(Campaign& campaign) {
  const std::string folder = campaign.file("little");
  for (const std::uint64_t mib : {1, 4, 16, 40, 70, 80, 96, 128, 200, 300}) {
    in_child(campaign, fmt::format("{} MiB of memory", mib),
             [&] { return in_little_memory(folder, mib << 20); });
    campaign.add("memory limits");
  }
}

}  // namespace vicinal::testing
