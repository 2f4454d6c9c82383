// answer(): the border's guard. Every function that can fail runs inside it: what goes wrong
// becomes a status and this thread's message; no exception leaves.
//
// Threads: any; a message belongs to its thread.
#pragma once

#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "vicinal/c/status.h"
#include "vicinal/status.h"

namespace vicinal::c_abi {

/// Keeps `message`, as much of it as there is room for, as this thread's last and returns `code`.
vicinal_status fail(vicinal_status code, std::string_view message) noexcept;
/// The same for what the engine answered.
vicinal_status fail(const Status& status) noexcept;

/// What `work`, a function that returns a Status, comes to.
template <typename Work>
vicinal_status answer(const Work& work) noexcept {
  try {
    const Status status = work();
    return status.ok() ? VICINAL_OK : fail(status);
  } catch (const std::bad_alloc&) {
    return fail(VICINAL_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(VICINAL_INTERNAL, error.what());
  } catch (...) {
    return fail(VICINAL_INTERNAL, "an unknown exception");
  }
}

/// kInvalidArgument naming the first of the pointers that is null; they alternate with their names.
inline Status require() { return {}; }
template <typename Pointer, typename... Rest>
Status require(Pointer pointer, const char* name, const Rest&... rest) {
  if (pointer == nullptr) return Status::invalid_argument(std::string(name) + " is NULL");
  return require(rest...);
}
/// The same for an array, which may be null when nothing of it is used.
template <typename Pointer>
Status require_array(Pointer pointer, const char* name, std::size_t count) {
  return count == 0 ? Status() : require(pointer, name);
}

/// Gives the caller the handle that `make`, a function from a std::unique_ptr<T>& to a Status,
/// makes; NULL where it makes none.
template <typename T, typename Make>
vicinal_status hand_out(T** handle, const char* name, const Make& make) noexcept {
  if (handle == nullptr) {
    return answer([&] { return require(handle, name); });
  }
  *handle = nullptr;
  return answer([&]() -> Status {
    std::unique_ptr<T> made;
    VICINAL_RETURN_IF_ERROR(make(made));
    *handle = made.release();
    return {};
  });
}

/// kInvalidArgument when `rows` times `columns` elements of `bytes` are more than memory can have.
inline Status check_matrix(const char* name, std::size_t rows, std::size_t columns,
                           std::size_t bytes) {
  const std::size_t most = std::numeric_limits<std::ptrdiff_t>::max() / bytes;
  if (columns == 0 || rows <= most / columns) return {};
  return Status::invalid_argument(std::string(name) + ": " + std::to_string(rows) + " rows of " +
                                  std::to_string(columns) + " are more than memory can have");
}

}  // namespace vicinal::c_abi
