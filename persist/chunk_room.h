// ChunkRoom: memory for one vectors chunk, in which its floats are aligned as in the map.
//
// Why not a vector: the bytes are overwritten from the file at once, zeroing them first would show.
// Ownership: owns its memory, which comes through the allocator hook.
// Threads: one at a time.
#pragma once

#include <cstddef>

#include "engine/base/allocator.h"
#include "persist/chunks.h"

namespace vicinal::persist {

class ChunkRoom {
 public:
  static constexpr std::size_t kRowAlignment = 64;

  ChunkRoom() = default;
  ~ChunkRoom() { release(); }
  ChunkRoom(const ChunkRoom&) = delete;
  ChunkRoom& operator=(const ChunkRoom&) = delete;

  /// Room for a chunk of `bytes`, not initialized, whose floats begin at a multiple of
  /// kRowAlignment. What it held is lost.
  std::byte* make(std::size_t bytes) {
    if (kBefore + bytes > size_) {
      release();
      room_ = static_cast<std::byte*>(internal::hook_allocate(kBefore + bytes, kRowAlignment));
      size_ = kBefore + bytes;
    }
    return room_ + kBefore;
  }

 private:
  static_assert(kChunkHeaderBytes <= kRowAlignment);
  static constexpr std::size_t kBefore = kRowAlignment - kChunkHeaderBytes;

  void release() noexcept {
    if (room_ != nullptr) internal::hook_deallocate(room_, size_, kRowAlignment);
    room_ = nullptr;
    size_ = 0;
  }

  std::byte* room_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace vicinal::persist
