// Reads mutations of files of vectors: none may end the process, hang, or have it allocate more than
// twice the file and a fixed amount for buffers.
// usage: mutate COUNT FILE...; with a COUNT of 0 it says by its exit code whether the files are read
// Each file is mutated COUNT times, from a seed that is its number and the mutation's, so that a
// failure can be had again. Operator new is counted; what C libraries take is bounded by RLIMIT_AS.
#include <fcntl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <string>

#include "tools/matrix/matrix.h"

namespace {

std::size_t allocated = 0;
std::size_t most_allocated = 0;

void* counted(std::size_t bytes) {
  void* const memory = std::malloc(std::max<std::size_t>(bytes, 1));
  if (memory == nullptr) throw std::bad_alloc();
  allocated += ::malloc_usable_size(memory);
  most_allocated = std::max(most_allocated, allocated);
  return memory;
}

void uncount(void* memory) {
  if (memory == nullptr) return;
  allocated -= ::malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { uncount(memory); }
void operator delete[](void* memory) noexcept { uncount(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncount(memory); }
void operator delete[](void* memory, std::size_t) noexcept { uncount(memory); }

namespace {

using vicinal::matrix::Batch;
using vicinal::matrix::Reader;
using vicinal::matrix::Wanted;

// Windows and pieces of 1 MiB, a temporary file's of a quarter, and the libraries' own.
constexpr std::size_t kBuffers = 6u << 20;
constexpr std::size_t kBuffersMapped = 64u << 20;

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) {
  return bound == 0 ? 0 : static_cast<std::size_t>(random() % bound);
}

/// A byte of the file; more often where headers and directories stand.
std::size_t place(Random& random, std::size_t size) {
  constexpr std::size_t kEdge = 256;
  if (size <= kEdge) return below(random, size);
  switch (below(random, 4)) {
    case 0:
      return below(random, kEdge);
    case 1:
      return size - 1 - below(random, kEdge);
    default:
      return below(random, size);
  }
}

std::uint64_t number(Random& random, std::size_t size) {
  const std::uint64_t interesting[] = {0,
                                       1,
                                       2,
                                       0x7F,
                                       0xFF,
                                       0x7FFF,
                                       0xFFFF,
                                       0x7FFFFFFF,
                                       0x80000000,
                                       0xFFFFFFFF,
                                       0x7FFFFFFFFFFFFFFF,
                                       0xFFFFFFFFFFFFFFFF,
                                       size,
                                       size + 1,
                                       size / 2,
                                       size * 1000};
  return below(random, 4) == 0 ? random() : interesting[below(random, std::size(interesting))];
}

void mutate_once(Random& random, std::string& bytes) {
  if (bytes.empty()) return;
  const std::size_t at = place(random, bytes.size());
  switch (below(random, 6)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(random, 8)));
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2:
    case 3: {
      const std::uint64_t value = number(random, bytes.size());
      const std::size_t width = std::min<std::size_t>(bytes.size() - at, 1u << below(random, 4));
      std::memcpy(bytes.data() + at, &value, width);
      break;
    }
    case 4:
      bytes.resize(at);
      break;
    default: {
      const std::size_t from = below(random, bytes.size());
      const std::size_t length =
          std::min({below(random, 64), bytes.size() - from, bytes.size() - at});
      std::memmove(bytes.data() + at, bytes.data() + from, length);
      break;
    }
  }
}

/// A file in memory that has a path.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("mutation", MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  bool write(const std::string& bytes) const {
    return ::ftruncate(descriptor_, 0) == 0 && ::pwrite(descriptor_, bytes.data(), bytes.size(),
                                                        0) == static_cast<ssize_t>(bytes.size());
  }
  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }

 private:
  int descriptor_;
};

vicinal::Status read_all(const std::string& path, const Wanted& wanted) {
  auto reader = Reader::open(path, wanted);
  if (!reader.ok()) return reader.status();
  Batch batch;
  do {
    if (vicinal::Status s = (*reader)->read(64, batch); !s.ok()) return s;
  } while (batch.rows > 0);
  return {};
}

/// Address sanitizer maps more than that for what it keeps of freed memory.
void bound_memory([[maybe_unused]] std::size_t bytes) {
#if !defined(__SANITIZE_ADDRESS__)
  unsigned long pages = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return;
  const bool known = std::fscanf(file, "%lu", &pages) == 1;
  std::fclose(file);
  if (!known) return;
  const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit limit = {most, RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
}

bool run(const std::string& path, std::uint64_t file_number, std::uint64_t count) {
  std::ifstream file(path, std::ios::binary);
  const std::string original((std::istreambuf_iterator<char>(file)),
                             std::istreambuf_iterator<char>());
  Wanted wanted;
  wanted.format = path.substr(path.find_last_of('.') + 1);
  wanted.usual_array = "train";
  const MemoryFile mutated;
  if (!mutated.write(original) || !read_all(mutated.path(), wanted).ok()) {
    fmt::print("{} is not read as it is\n", path);
    return false;
  }
  if (count == 0) return true;
  std::uint64_t read = 0;
  std::uint64_t ended = 0;  // a child of ours, which is what it is for
  std::size_t most = 0;
  double slowest = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    Random random(file_number * 1000003 + i);
    std::string bytes = original;
    for (std::size_t times = 1 + below(random, 3); times > 0; --times) mutate_once(random, bytes);
    if (!mutated.write(bytes)) return false;
    const std::size_t bound = 2 * bytes.size() + kBuffers;
    const std::size_t before = allocated;
    most_allocated = before;
    const auto start = std::chrono::steady_clock::now();
    try {
      const vicinal::Status status = read_all(mutated.path(), wanted);
      read += status.ok() ? 1 : 0;
      ended += status.message().find("libhdf5 ended") != std::string::npos ? 1 : 0;
    } catch (const std::bad_alloc&) {
      fmt::print("FAILED: mutation {} of {} asks for memory without bound\n", i, path);
      return false;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    slowest = std::max(slowest, taken.count());
    most = std::max(most, most_allocated - before);
    if (most > bound) {
      fmt::print("FAILED: mutation {} of {} allocates {} bytes of {}\n", i, path, most, bound);
      return false;
    }
  }
  fmt::print(
      "{}: {} bytes, {} mutations, {} read, {} refused ({} ended a child), at most {} bytes "
      "allocated, {:.3f} s the "
      "slowest\n",
      path, original.size(), count, read, count - read, ended, most, slowest);
  // Mutations of numbers are read, those of headers are not.
  if (read > 0 && read < count) return true;
  fmt::print("FAILED: {} of {} were read\n", read, count);
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  // What a crash left unsaid is on the terminal already.
  std::setvbuf(stdout, nullptr, _IOLBF, 1024);
  bound_memory(kBuffersMapped);
  bool good = true;
  for (int i = 2; i < argc; ++i) {
    const auto number = static_cast<std::uint64_t>(i - 1);
    good = run(argv[i], number, std::strtoull(argv[1], nullptr, 10)) && good;
  }
  return good ? 0 : 1;
}
