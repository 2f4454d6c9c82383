// Status and Result<T>: how every fallible call of Vicinal answers. No exception crosses the API.
//
// Each code is one action for the caller; the message carries the values that were wrong
// ("dimension 383, index has 384"). Both types are values; threads: as for any value type.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "vicinal/requirements.h"

namespace vicinal {

enum class [[nodiscard]] StatusCode : std::uint8_t{
    kOk = 0,
    kInvalidArgument = 1,  ///< the call is wrong: correct it.
    kNotFound = 2,         ///< no such label, index or file.
    kFull = 3,        ///< a limit (disk, map, node ids) is reached: free space or raise the limit.
    kBusy = 4,        ///< somebody else holds it (another process, another rebuild): try later.
    kIoError = 5,     ///< the system refused a read or a write; nothing changed in memory.
    kCorruption = 6,  ///< stored bytes are not what was written: restore, repair or salvage.
    kFormatVersion = 7,  ///< written by another release: open with that one.
    kReadOnly = 8,       ///< opened for reading: reopen for writing.
    kClosed = 9,         ///< the store was closed: reopen it.
    kCancelled = 10,     ///< the caller's progress callback asked to stop.
};

/// The code's name as in the documentation ("invalid_argument").
std::string_view status_code_name(StatusCode code) noexcept;

class [[nodiscard]] Status {
 public:
  Status() noexcept = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status invalid_argument(std::string m) {
    return {StatusCode::kInvalidArgument, std::move(m)};
  }
  static Status not_found(std::string m) { return {StatusCode::kNotFound, std::move(m)}; }
  static Status full(std::string m) { return {StatusCode::kFull, std::move(m)}; }
  static Status busy(std::string m) { return {StatusCode::kBusy, std::move(m)}; }
  static Status io_error(std::string m) { return {StatusCode::kIoError, std::move(m)}; }
  static Status corruption(std::string m) { return {StatusCode::kCorruption, std::move(m)}; }
  static Status format_version(std::string m) { return {StatusCode::kFormatVersion, std::move(m)}; }
  static Status read_only(std::string m) { return {StatusCode::kReadOnly, std::move(m)}; }
  static Status closed(std::string m) { return {StatusCode::kClosed, std::move(m)}; }
  static Status cancelled(std::string m) { return {StatusCode::kCancelled, std::move(m)}; }

  bool ok() const noexcept { return code_ == StatusCode::kOk; }
  explicit operator bool() const noexcept { return ok(); }
  StatusCode code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  /// "invalid_argument: dimension 383, index has 384"; "ok" when ok.
  std::string to_string() const;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// A T, or the Status that says why there is none. Reading the value of a failed Result aborts the
/// process with the status on standard error: test it first.
template <typename T>
class [[nodiscard]] Result {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a function returns its value as it is
  Result(T value) : value_(std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): and its error
  Result(Status status) : status_(std::move(status)) {
    if (status_.ok()) std::abort();  // an ok Status carries no value
  }

  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  // Of a Result that ends with the statement, values come by value: what `for (auto& hit :
  // *index.search(query))` walks lives as long as the loop.
  const Status& status() const& noexcept { return status_; }
  Status status() && noexcept { return std::move(status_); }

  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(checked()); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }

 private:
  T& checked();

  std::optional<T> value_;
  Status status_;
};

namespace internal {
/// Writes `status` to standard error and aborts: a failed Result was read as if it had a value.
[[noreturn]] void die_on_bad_result_access(const Status& status);
}  // namespace internal

template <typename T>
T& Result<T>::checked() {
  if (!value_.has_value()) internal::die_on_bad_result_access(status_);
  return *value_;
}

}  // namespace vicinal
