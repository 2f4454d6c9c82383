// Integers in bytes, little-endian as this machine has them, and the checksum of the saved form.
//
// Threads: pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace vicinal::redis {

static_assert(std::endian::native == std::endian::little, "integers are saved as they lie");

template <typename T>
void append(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

/// Takes what comes off the front of bytes that an enemy may have made.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }
  template <typename T>
  std::optional<T> integer() {
    T value;
    if (rest_.size() < sizeof value) return std::nullopt;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::optional<std::string_view> text(std::size_t length) {
    if (rest_.size() < length) return std::nullopt;
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

 private:
  std::string_view rest_;
};

/// XXH3-64, seed 0.
std::uint64_t checksum(std::string_view bytes);

}  // namespace vicinal::redis
