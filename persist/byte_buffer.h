// ByteBuffer: memory of the allocator hook whose bytes nobody has written before: what is large and
// filled in part takes the pages that are filled.
//
// Ownership: owns its bytes.
// Threads: as a vector.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "engine/base/allocator.h"

namespace vicinal::persist {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  explicit ByteBuffer(std::size_t size)
      : bytes_(static_cast<std::byte*>(internal::hook_allocate(size, kAlignment))), size_(size) {}
  ~ByteBuffer() {
    if (bytes_ != nullptr) internal::hook_deallocate(bytes_, size_, kAlignment);
  }
  ByteBuffer(ByteBuffer&& other) noexcept
      : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  std::span<std::byte> bytes() { return {bytes_, size_}; }
  std::size_t size() const { return size_; }

  /// Makes it `size` long, with the first `kept` bytes as they are.
  void resize(std::size_t size, std::size_t kept) {
    ByteBuffer longer(size);
    if (kept > 0) std::memcpy(longer.bytes_, bytes_, std::min(kept, size));
    *this = std::move(longer);
  }

 private:
  static constexpr std::size_t kAlignment = 64;

  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace vicinal::persist
