// The system calls of this program, seen and refused: what a store asks the kernel for.
//
// What: a program that links system_calls.cc defines open(), pwrite(), fdatasync() and the like
// itself, so that its own code and every shared library's (LMDB's, the standard library's) come
// through here on their way to the kernel. An observer is told of each call that concerns a file
// below one folder, before and after, and may have it fail. Calls that have no file (memory, threads,
// sockets) are told when `own` says so and this program's own code, or the standard library on
// its behalf, makes them.
// Not seen: what the C library does inside itself (stdio, opendir), and writes to a map.
// Ownership: the observer is the caller's, from observe() to observe(nullptr).
// Threads: the observer is called by one thread at a time. Calls that change something and do not
// wait (writes, sizes, names) are made under the same lock, so that after() tells their order.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace vicinal::testing {

enum class Call : std::uint8_t {
  kOpen,
  kClose,
  kRead,
  kWrite,
  kSync,      ///< fsync, fdatasync, msync
  kSize,      ///< ftruncate, truncate
  kAllocate,  ///< fallocate
  kRename,
  kRemove,
  kMakeFolder,
  kLock,  ///< flock, fcntl's locks
  kLook,  ///< stat and the like
  kMap,
  kPair,    ///< socketpair
  kThread,  ///< pthread_create
};

struct SystemCall {
  Call call = Call::kOpen;
  const char* name = "";              ///< "pwrite"
  int fd = -1;                        ///< of those that take one
  std::string path = {};              ///< the file's, absolute; empty when there is none
  std::string to = {};                ///< of kRename
  int flags = 0;                      ///< of the descriptor: O_CREAT, O_DSYNC, ...
  std::int64_t offset = 0;            ///< of reads, writes and allocations; the new size
  std::span<const iovec> bytes = {};  ///< of reads and writes

  std::size_t size() const;
};

/// What becomes of a call.
struct Verdict {
  enum class Kind : std::uint8_t {
    kPass,
    kFail,       ///< it never reaches the kernel
    kFailAfter,  ///< it is done, and answers an error all the same
    kShort       ///< a read or write of half the bytes
  };
  Kind kind = Kind::kPass;
  int error = 0;
};

class SystemObserver {
 public:
  SystemObserver() = default;
  SystemObserver(const SystemObserver&) = delete;
  SystemObserver& operator=(const SystemObserver&) = delete;
  virtual ~SystemObserver() = default;

  virtual Verdict before(const SystemCall& call) = 0;
  /// `result` as the caller gets it: -1, and errno is kept.
  virtual void after(const SystemCall& call, long result) = 0;
};

/// From now on `observer` is told of calls below `root`; null: nobody.
/// While no other thread of the program makes any.
void observe(SystemObserver* observer, const std::string& root = {}, bool own = false);

}  // namespace vicinal::testing
