// Structs whose first field is their size: read, initialised and written so that a program and a
// library of different releases go together.
//
// Invariant: a size is a multiple of 8, as every struct's is at every release, so that no field is
// read or written in part.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "vicinal/c/status.h"
#include "vicinal/status.h"

namespace vicinal::c_abi {

/// The greatest size that is believed: beyond it nobody initialised the struct.
inline constexpr std::size_t kLargestStruct = 65536;

/// A struct of another language's program, by its own size.
template <typename T>
concept Sized = std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> &&
    requires(T value) {
  value.size;
} && sizeof(T) % 8 == 0;

inline Status check_size(const char* name, std::size_t size) {
  if (size >= sizeof(std::size_t) && size <= kLargestStruct && size % 8 == 0) return {};
  return Status::invalid_argument(std::string("size ") + std::to_string(size) + " of " + name +
                                  " is not one of 8 to 65536 in steps of 8: initialise it");
}

/// Overwrites what `given` (null: nothing) has of `value`, which holds the defaults.
/// Errors: kInvalidArgument  a size that cannot be; a field that is not known here and not 0.
template <Sized T>
Status read_struct(const T* given, const char* name, T& value) {
  if (given == nullptr) return {};
  const std::size_t size = given->size;
  if (Status status = check_size(name, size); !status.ok()) return status;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(given);
  const unsigned char* const end = bytes + size;
  const unsigned char* const unknown =
      size <= sizeof(T) ? end
                        : std::find_if(bytes + sizeof(T), end, [](auto byte) { return byte != 0; });
  if (unknown != end) {
    return Status::invalid_argument(
        std::string(name) + ": byte " + std::to_string(unknown - bytes) + " of " +
        std::to_string(size) + " is not 0, and this library knows " + std::to_string(sizeof(T)));
  }
  std::memcpy(&value, given, std::min(size, sizeof(T)));
  value.size = sizeof(T);
  return {};
}

/// kInvalidArgument when `result` is no struct that write_struct() may write; null is fine.
template <Sized T>
Status check_result(const T* result, const char* name) {
  return result == nullptr ? Status() : check_size(name, result->size);
}

/// Writes to the first `size` bytes at `target` those of `value`, and 0 beyond them.
template <Sized T>
void write_sized(T* target, std::size_t size, T value) {
  value.size = size;
  std::memcpy(static_cast<void*>(target), &value, std::min(size, sizeof(T)));
  if (size > sizeof(T)) {
    std::memset(reinterpret_cast<unsigned char*>(target) + sizeof(T), 0, size - sizeof(T));
  }
}

/// Writes what `result` (null: nothing), checked before, has room for.
template <Sized T>
void write_struct(T* result, const T& value) {
  if (result != nullptr) write_sized(result, result->size, value);
}

/// As much of `text` as there is room for before a NUL, into an array of zeros.
template <std::size_t kBytes>
void copy_text(std::string_view text, char (&array)[kBytes]) {
  std::memcpy(array, text.data(), std::min(text.size(), kBytes - 1));
}

/// Counts into an array of zeros; what is beyond its last counts there.
template <std::size_t kCount>
void copy_counts(std::span<const std::uint64_t> counts, std::uint64_t (&array)[kCount]) {
  for (std::size_t i = 0; i < counts.size(); ++i) array[std::min(i, kCount - 1)] += counts[i];
}

}  // namespace vicinal::c_abi
