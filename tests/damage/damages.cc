#include "tests/damage/damages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

namespace vicinal::testing {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t bound) {
  return bound == 0 ? 0 : static_cast<std::size_t>(random() % bound);
}

/// A byte of the file; as often as not one near the beginning of a page, where LMDB's own fields are.
std::size_t place(Random& random, std::size_t size) {
  constexpr std::size_t kHeads = 160;
  const std::size_t at = below(random, size);
  if (below(random, 2) == 0) return at;
  return std::min(at / kPageBytes * kPageBytes + below(random, kHeads), size - 1);
}

std::string bytes_of(const std::vector<std::byte>& stream) {
  std::string bytes(stream.size(), '\0');
  std::memcpy(bytes.data(), stream.data(), stream.size());
  return bytes;
}

/// One damage to `made.bytes`.
class Damager {
 public:
  Damager(const Sample& sample, Random& random, Damaged& made)
      : sample_(sample), random_(random), made_(made) {}

  void some() {
    // A stream has no pages, and no earlier generation.
    switch (below(random_, made_.of_stream ? 6 : 10)) {
      case 0:
        return bytes();
      case 1:
        return run();
      case 2:
        return number();
      case 3:
        return truncation();
      case 4:
        return rubbish();
      case 5:
        return copied();
      case 6:
        return zeroed();
      case 7:
        return swapped();
      default:
        return stale();
    }
  }

 private:
  std::size_t size() const { return made_.bytes.size(); }
  std::size_t pages() const { return size() / kPageBytes; }

  void bytes() {
    made_.kind = "several bytes";
    made_.what = "bytes";
    for (std::size_t times = 1 + below(random_, 8); times > 0; --times) {
      const std::size_t at = place(random_, size());
      const auto bits = static_cast<char>(1 + below(random_, 255));
      made_.bytes[at] = static_cast<char>(made_.bytes[at] ^ bits);
      made_.what += fmt::format(" {}", at);
    }
  }

  void run() {
    made_.kind = "runs";
    const std::size_t at = place(random_, size());
    const std::size_t length = std::min(1 + below(random_, 64), size() - at);
    const std::size_t how = below(random_, 3);
    for (std::size_t i = at; i < at + length; ++i) {
      made_.bytes[i] = static_cast<char>(how == 0 ? random_() : how == 1 ? 0xFF : 0);
    }
    made_.what = fmt::format("{} bytes at {} {}", length, at,
                             how == 0   ? "random"
                             : how == 1 ? "all ones"
                                        : "zeroed");
  }

  void number() {
    made_.kind = "numbers";
    const std::array<std::uint64_t, 12> numbers = {
        0,          1,          2,           0x7F,  0xFFFF,  0x7FFFFFFF,
        0x80000000, 0xFFFFFFFF, ~0ull >> 1u, ~0ull, pages(), below(random_, pages() + 2)};
    const std::uint64_t value = numbers[below(random_, numbers.size())];
    const std::size_t width = std::size_t{1} << below(random_, 4);
    const std::size_t at = std::min(place(random_, size()) / width * width, size() - width);
    std::memcpy(&made_.bytes[at], &value, width);
    made_.what = fmt::format("{} bytes at {} are {}", width, at, value);
  }

  void truncation() {
    made_.kind = "truncations";
    std::size_t to = below(random_, size());
    if (below(random_, 2) == 0) to = to / kPageBytes * kPageBytes;
    made_.bytes.resize(to);
    made_.what = fmt::format("cut to {} bytes", to);
  }

  void rubbish() {
    made_.kind = "appended";
    const std::size_t more = 1 + below(random_, 5 * kPageBytes);
    const bool zeros = below(random_, 2) == 0;
    for (std::size_t i = 0; i < more; ++i) {
      made_.bytes.push_back(zeros ? '\0' : static_cast<char>(random_()));
    }
    made_.what = fmt::format("{} bytes appended", more);
  }

  void copied() {
    made_.kind = "copied";
    const std::size_t unit = made_.of_stream ? 1 : kPageBytes;
    const std::size_t from = below(random_, size() / unit) * unit;
    const std::size_t to = below(random_, size() / unit) * unit;
    const std::size_t length =
        made_.of_stream ? std::min({1 + below(random_, 64), size() - from, size() - to}) : unit;
    std::memmove(&made_.bytes[to], &made_.bytes[from], length);
    made_.what = fmt::format("{} bytes from {} at {}", length, from, to);
  }

  void zeroed() {
    made_.kind = "zeroed pages";
    const std::size_t first = below(random_, pages());
    const std::size_t count = std::min(1 + below(random_, 3), pages() - first);
    std::memset(&made_.bytes[first * kPageBytes], 0, count * kPageBytes);
    made_.what = fmt::format("{} pages from {} zeroed", count, first);
  }

  void swapped() {
    made_.kind = "page swaps";
    const std::size_t a = below(random_, pages());
    const std::size_t b = below(random_, pages());
    std::swap_ranges(&made_.bytes[a * kPageBytes], &made_.bytes[a * kPageBytes] + kPageBytes,
                     a == b ? &made_.bytes[a * kPageBytes] : &made_.bytes[b * kPageBytes]);
    made_.what = fmt::format("pages {} and {} swapped", a, b);
  }

  void stale() {
    made_.kind = "stale pages";
    const std::size_t generation = below(random_, sample_.earlier.size());
    const std::string& earlier = sample_.earlier[generation];
    made_.what = fmt::format("pages of write {}:", generation);
    for (std::size_t times = 1 + below(random_, 4) / 2; times > 0; --times) {
      const std::size_t page = below(random_, std::min(earlier.size(), size()) / kPageBytes);
      std::memcpy(&made_.bytes[page * kPageBytes], &earlier[page * kPageBytes], kPageBytes);
      if (page < 2) made_.rolled_back = true;
      made_.what += fmt::format(" {}", page);
    }
  }

  const Sample& sample_;
  Random& random_;
  Damaged& made_;
};

}  // namespace

std::uint64_t bits_of(const Sample& sample) {
  return 8 * (std::uint64_t{sample.file.size()} + sample.stream.size());
}

Damaged flip_bit(const Sample& sample, std::uint64_t bit) {
  Damaged made;
  const std::uint64_t bits_of_file = 8 * std::uint64_t{sample.file.size()};
  made.of_stream = bit >= bits_of_file;
  if (made.of_stream) bit -= bits_of_file;
  made.bytes = made.of_stream ? bytes_of(sample.stream) : sample.file;
  made.kind = "flips";
  made.what =
      fmt::format("bit {} of byte {} of the {} (page {}, {} of it)", bit % 8, bit / 8,
                  made.of_stream ? "stream" : "file", bit / 8 / kPageBytes, bit / 8 % kPageBytes);
  char& byte = made.bytes[bit / 8];
  byte = static_cast<char>(byte ^ (1 << bit % 8));
  return made;
}

std::uint64_t earlier_pages_of(const Sample& sample) {
  return std::uint64_t{sample.earlier.size()} * (sample.file.size() / kPageBytes);
}

Damaged put_back(const Sample& sample, std::uint64_t n) {
  const std::size_t pages = sample.file.size() / kPageBytes;
  const std::string& earlier = sample.earlier[n / pages];
  const std::size_t page = n % pages;
  Damaged made;
  made.bytes = sample.file;
  made.kind = "stale pages";
  made.what = fmt::format("page {} as after write {}", page, n / pages);
  made.rolled_back = page < 2;
  if ((page + 1) * kPageBytes <= earlier.size()) {
    std::memcpy(&made.bytes[page * kPageBytes], &earlier[page * kPageBytes], kPageBytes);
  }
  made.changed = made.bytes != sample.file;
  return made;
}

Damaged damage_by(const Sample& sample, std::uint64_t seed) {
  Random random(seed);
  Damaged made;
  made.of_stream = below(random, 8) == 0;
  made.bytes = made.of_stream ? bytes_of(sample.stream) : sample.file;
  Damager(sample, random, made).some();
  if (made.of_stream) made.kind += " of streams";
  made.changed = made.bytes != (made.of_stream ? bytes_of(sample.stream) : sample.file);
  return made;
}

}  // namespace vicinal::testing
