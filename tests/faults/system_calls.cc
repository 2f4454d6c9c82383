#include "tests/faults/system_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <optional>
#include <vector>

namespace vicinal::testing {
namespace {

/// A descriptor of a file below the root.
struct OpenFile {
  std::string path;
  int flags = 0;
};

// By itself, and known to the linker: malloc() asks for it before anything else is made.
std::atomic<SystemObserver*> the_observer{nullptr};

struct Watch {
  std::mutex mutex;  ///< held while a call that does not wait is made
  std::string root;
  bool own = false;
  std::array<std::optional<OpenFile>, 4096> files;  ///< by descriptor
};

Watch& watch() {
  static Watch* const instance = new Watch;
  return *instance;
}

// The observer's own calls are nobody's business.
thread_local bool inside = false;

bool watching() { return !inside && the_observer.load(std::memory_order_acquire) != nullptr; }

bool below_root(const std::string& path) {
  const std::string& root = watch().root;
  return path.compare(0, root.size(), root) == 0 &&
         (path.size() == root.size() || path[root.size()] == '/');
}

/// Under the lock.
bool find_file(SystemCall& call) {
  const auto index = static_cast<std::size_t>(call.fd);
  if (call.fd < 0 || index >= watch().files.size() || !watch().files[index]) return false;
  call.path = watch().files[index]->path;
  call.flags |= watch().files[index]->flags;
  return true;
}

bool waits(Call call) {
  return call == Call::kSync || call == Call::kLock || call == Call::kRead || call == Call::kThread;
}

long half(const SystemCall& call) {
  std::vector<iovec> part;
  std::size_t left = call.size() / 2;
  for (const iovec& piece : call.bytes) {
    part.push_back({piece.iov_base, std::min(left, piece.iov_len)});
    left -= part.back().iov_len;
  }
  const auto count = static_cast<int>(part.size());
  const bool writes = call.call == Call::kWrite;
  return ::syscall(writes ? SYS_pwritev : SYS_preadv, call.fd, part.data(), count, call.offset, 0);
}

template <typename Kernel>
long answer(const SystemCall& call, const Verdict& verdict, const Kernel& kernel) {
  long result = -1;
  if (verdict.kind == Verdict::Kind::kShort && call.size() > 1) return half(call);
  if (verdict.kind != Verdict::Kind::kFail) result = kernel();
  if (verdict.kind == Verdict::Kind::kPass || verdict.kind == Verdict::Kind::kShort) return result;
  errno = verdict.error;
  return -1;
}

/// Keeps the table of descriptors.
void note(const SystemCall& call, long result) {
  auto& files = watch().files;
  if (call.call == Call::kOpen && result >= 0 && static_cast<std::size_t>(result) < files.size()) {
    files[static_cast<std::size_t>(result)] = OpenFile{call.path, call.flags};
  }
  if (call.call == Call::kClose) files[static_cast<std::size_t>(call.fd)].reset();
}

/// Tells the observer of `call`, unless it concerns nothing that he watches, and makes it.
template <typename Kernel>
long run(SystemCall call, bool own, const Kernel& kernel) {
  if (!watching()) return kernel();
  Watch& w = watch();
  std::unique_lock lock(w.mutex);
  inside = true;
  SystemObserver* const observer = the_observer.load(std::memory_order_acquire);
  const bool named = !call.path.empty() && below_root(call.path);
  const bool told = observer != nullptr && (named || find_file(call) || (own && w.own));
  if (!told) lock.unlock();
  if (!told) {
    inside = false;
    return kernel();
  }
  const Verdict verdict = observer->before(call);
  if (waits(call.call)) lock.unlock();
  const long result = answer(call, verdict, kernel);
  const int error = errno;
  if (!lock.owns_lock()) lock.lock();
  note(call, result);
  observer->after(call, result);
  lock.unlock();
  inside = false;
  errno = error;
  return result;
}

std::string absolute(int folder, const char* path) {
  if (path[0] == '/' || folder == AT_FDCWD) return path;
  if (folder < 0 || static_cast<std::size_t>(folder) >= watch().files.size()) return {};
  const std::lock_guard lock(watch().mutex);
  const std::optional<OpenFile>& file = watch().files[static_cast<std::size_t>(folder)];
  return file ? file->path + "/" + path : std::string();
}

long open_file(const char* name, int folder, const char* path, int flags, mode_t mode) {
  const auto kernel = [&] { return ::syscall(SYS_openat, folder, path, flags, mode); };
  if (!watching()) return kernel();
  SystemCall call{Call::kOpen, name};
  call.path = absolute(folder, path);
  call.flags = flags;
  return run(std::move(call), false, kernel);
}

template <typename Kernel>
long transfer(Call kind, const char* name, int fd, std::span<const iovec> bytes,
              std::optional<off_t> offset, const Kernel& kernel) {
  if (!watching()) return kernel();
  SystemCall call{kind, name};
  call.fd = fd;
  call.bytes = bytes;
  call.offset = offset ? *offset : ::syscall(SYS_lseek, fd, 0, SEEK_CUR);
  const long result = run(call, false, kernel);
  // A short one was made at that place and did not move it.
  if (!offset && result > 0) ::syscall(SYS_lseek, fd, call.offset + result, SEEK_SET);
  return result;
}

template <typename Kernel>
long on_descriptor(Call kind, const char* name, int fd, std::int64_t offset, const Kernel& kernel) {
  if (!watching()) return kernel();
  SystemCall call{kind, name};
  call.fd = fd;
  call.offset = offset;
  return run(std::move(call), false, kernel);
}

template <typename Kernel>
long on_path(Call kind, const char* name, int folder, const char* path, const Kernel& kernel) {
  if (!watching()) return kernel();
  SystemCall call{kind, name};
  call.path = absolute(folder, path);
  return run(std::move(call), false, kernel);
}

/// Whether `address` lies in the program itself, or in the standard library.
bool is_own(const void* address) {
  static const void* const program = [] {
    Dl_info info{};
    return ::dladdr(reinterpret_cast<const void*>(&watch), &info) != 0 ? info.dli_fbase : nullptr;
  }();
  Dl_info info{};
  return ::dladdr(address, &info) != 0 && info.dli_fbase == program;
}

}  // namespace

std::size_t SystemCall::size() const {
  std::size_t sum = 0;
  for (const iovec& piece : bytes) sum += piece.iov_len;
  return sum;
}

void observe(SystemObserver* observer, const std::string& root, bool own) {
  Watch& w = watch();
  const std::lock_guard lock(w.mutex);
  w.root = root;
  w.own = own;
  the_observer.store(observer, std::memory_order_release);
}

}  // namespace vicinal::testing

// -- What the program and its libraries call ------------------------------------------------------

using vicinal::testing::Call;
using vicinal::testing::SystemCall;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);  // whatever stands there, where none was given
  va_end(rest);
  return static_cast<int>(vicinal::testing::open_file("open", AT_FDCWD, path, flags, mode));
}

int openat(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return static_cast<int>(vicinal::testing::open_file("openat", folder, path, flags, mode));
}

int close(int fd) {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kClose, "close", fd, 0, [&] { return ::syscall(SYS_close, fd); }));
}

ssize_t read(int fd, void* bytes, size_t size) {
  const iovec piece{bytes, size};
  return vicinal::testing::transfer(Call::kRead, "read", fd, {&piece, 1}, {},
                                    [&] { return ::syscall(SYS_read, fd, bytes, size); });
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  const iovec piece{bytes, size};
  return vicinal::testing::transfer(Call::kRead, "pread", fd, {&piece, 1}, offset, [&] {
    return ::syscall(SYS_pread64, fd, bytes, size, offset);
  });
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const iovec piece{const_cast<void*>(bytes), size};
  return vicinal::testing::transfer(Call::kWrite, "write", fd, {&piece, 1}, {},
                                    [&] { return ::syscall(SYS_write, fd, bytes, size); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const iovec piece{const_cast<void*>(bytes), size};
  return vicinal::testing::transfer(Call::kWrite, "pwrite", fd, {&piece, 1}, offset, [&] {
    return ::syscall(SYS_pwrite64, fd, bytes, size, offset);
  });
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  return vicinal::testing::transfer(Call::kWrite, "writev", fd,
                                    {pieces, static_cast<std::size_t>(count)}, {},
                                    [&] { return ::syscall(SYS_writev, fd, pieces, count); });
}

int fsync(int fd) {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kSync, "fsync", fd, 0, [&] { return ::syscall(SYS_fsync, fd); }));
}

int fdatasync(int fd) {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kSync, "fdatasync", fd, 0, [&] { return ::syscall(SYS_fdatasync, fd); }));
}

int ftruncate(int fd, off_t size) noexcept {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kSize, "ftruncate", fd, size, [&] { return ::syscall(SYS_ftruncate, fd, size); }));
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kAllocate, "fallocate", fd, offset + size,
      [&] { return ::syscall(SYS_fallocate, fd, mode, offset, size); }));
}

int rename(const char* from, const char* to) noexcept {
  const auto kernel = [&] { return ::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); };
  if (!vicinal::testing::watching()) return static_cast<int>(kernel());
  SystemCall call{Call::kRename, "rename"};
  call.path = from;
  call.to = to;
  return static_cast<int>(vicinal::testing::run(std::move(call), false, kernel));
}

int unlink(const char* path) noexcept {
  return static_cast<int>(vicinal::testing::on_path(Call::kRemove, "unlink", AT_FDCWD, path, [&] {
    return ::syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  }));
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  return static_cast<int>(vicinal::testing::on_path(Call::kRemove, "unlinkat", folder, path, [&] {
    return ::syscall(SYS_unlinkat, folder, path, flags);
  }));
}

int remove(const char* path) noexcept {
  return static_cast<int>(vicinal::testing::on_path(Call::kRemove, "remove", AT_FDCWD, path, [&] {
    const long file = ::syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (file == 0 || errno != EISDIR) return file;
    return ::syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
  }));
}

int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(
      vicinal::testing::on_path(Call::kMakeFolder, "mkdir", AT_FDCWD, path,
                                [&] { return ::syscall(SYS_mkdirat, AT_FDCWD, path, mode); }));
}

int flock(int fd, int operation) noexcept {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kLock, "flock", fd, 0, [&] { return ::syscall(SYS_flock, fd, operation); }));
}

int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  const auto kernel = [&] { return ::syscall(SYS_fcntl, fd, command, argument); };
  if (command != F_SETLK && command != F_SETLKW) return static_cast<int>(kernel());
  return static_cast<int>(vicinal::testing::on_descriptor(Call::kLock, "fcntl", fd, 0, kernel));
}

int stat(const char* path, struct stat* info) noexcept {
  return static_cast<int>(vicinal::testing::on_path(Call::kLook, "stat", AT_FDCWD, path, [&] {
    return ::syscall(SYS_newfstatat, AT_FDCWD, path, info, 0);
  }));
}

int lstat(const char* path, struct stat* info) noexcept {
  return static_cast<int>(vicinal::testing::on_path(Call::kLook, "lstat", AT_FDCWD, path, [&] {
    return ::syscall(SYS_newfstatat, AT_FDCWD, path, info, AT_SYMLINK_NOFOLLOW);
  }));
}

int fstat(int fd, struct stat* info) noexcept {
  return static_cast<int>(vicinal::testing::on_descriptor(
      Call::kLook, "fstat", fd, 0, [&] { return ::syscall(SYS_fstat, fd, info); }));
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  const auto kernel = [&] {
    return ::syscall(SYS_mmap, address, size, protection, flags, fd, offset);
  };
  if (!vicinal::testing::watching()) return reinterpret_cast<void*>(kernel());
  SystemCall call{Call::kMap, "mmap"};
  call.fd = fd;
  const bool own = fd < 0 && vicinal::testing::is_own(__builtin_return_address(0));
  if (fd < 0 && !own) return reinterpret_cast<void*>(kernel());
  return reinterpret_cast<void*>(vicinal::testing::run(std::move(call), own, kernel));
}

int socketpair(int domain, int type, int protocol, int* ends) noexcept {
  return static_cast<int>(vicinal::testing::run({Call::kPair, "socketpair"}, true, [&] {
    return ::syscall(SYS_socketpair, domain, type, protocol, ends);
  }));
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
  static const auto made =
      reinterpret_cast<decltype(&pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
  int error = 0;
  const long result = vicinal::testing::run({Call::kThread, "pthread_create"}, true, [&] {
    error = made(thread, attributes, start, argument);
    return error == 0 ? 0L : -1L;
  });
  if (result == 0) return 0;
  return error != 0 ? error : errno;
}

// The names of the same calls where files are large, as they all are on a 64-bit host.
int open64(const char* path, int flags, ...) __attribute__((alias("open")));
int openat64(int folder, const char* path, int flags, ...) __attribute__((alias("openat")));
ssize_t pread64(int fd, void* bytes, size_t size, off64_t offset) __attribute__((alias("pread")));
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset)
    __attribute__((alias("pwrite")));
int ftruncate64(int fd, off64_t size) noexcept __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off64_t offset, off64_t size) __attribute__((alias("fallocate")));
int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));
void* mmap64(void* address, size_t size, int protection, int flags, int fd, off64_t offset) noexcept
    __attribute__((alias("mmap")));

}  // extern "C"
