// ScriptReader: a fuzzer's input read as a script of numbers, and what a target says when a promise is
// broken.
//
// What: past its end it gives zeros, so that every input is a script; empty() says when to stop.
// Ownership: a view of the input.
// Threads: one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <source_location>
#include <span>

#include "vicinal/status.h"

namespace vicinal::fuzz {

class ScriptReader {
 public:
  ScriptReader(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const std::byte*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  template <typename T>
  T number() {
    T value{};
    const std::size_t bytes = std::min(sizeof value, rest_.size());
    if (bytes > 0) std::memcpy(&value, rest_.data(), bytes);
    rest_ = rest_.subspan(bytes);
    return value;
  }
  std::uint8_t byte() { return number<std::uint8_t>(); }
  bool flag() { return (byte() & 1) != 0; }
  /// One of 0 to `bound` - 1, at most 256 of them.
  std::size_t below(std::size_t bound) { return byte() % bound; }
  /// The next bytes, at most `most`.
  std::span<const std::byte> bytes(std::size_t most) {
    const std::span<const std::byte> taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  std::span<const std::byte> rest() { return bytes(rest_.size()); }

 private:
  std::span<const std::byte> rest_;
};

/// Ends the program where a promise is broken; libFuzzer keeps the input.
inline void expect(bool holds, const char* promise,
                   std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%u: broken: %s\n", where.file_name(), where.line(), promise);
  std::abort();
}
inline void expect_ok(const Status& status,
                      std::source_location where = std::source_location::current()) {
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  expect(status.ok(), "this call succeeds", where);
}

}  // namespace vicinal::fuzz
