// Codes, this thread's message, the version, the allocator hook.
#include "vicinal/c/status.h"

#include <algorithm>
#include <cstring>

#include "engine/c/answer.h"
#include "vicinal/cpu.h"
#include "vicinal/memory.h"

namespace vicinal::c_abi {
namespace {

static_assert(VICINAL_OK == static_cast<int>(StatusCode::kOk));
static_assert(VICINAL_INVALID_ARGUMENT == static_cast<int>(StatusCode::kInvalidArgument));
static_assert(VICINAL_NOT_FOUND == static_cast<int>(StatusCode::kNotFound));
static_assert(VICINAL_FULL == static_cast<int>(StatusCode::kFull));
static_assert(VICINAL_BUSY == static_cast<int>(StatusCode::kBusy));
static_assert(VICINAL_IO_ERROR == static_cast<int>(StatusCode::kIoError));
static_assert(VICINAL_CORRUPTION == static_cast<int>(StatusCode::kCorruption));
static_assert(VICINAL_FORMAT_VERSION == static_cast<int>(StatusCode::kFormatVersion));
static_assert(VICINAL_READ_ONLY == static_cast<int>(StatusCode::kReadOnly));
static_assert(VICINAL_CLOSED == static_cast<int>(StatusCode::kClosed));
static_assert(VICINAL_CANCELLED == static_cast<int>(StatusCode::kCancelled));

// Without a constructor or destructor: there from a thread's first moment to its last, and to fail
// needs no memory.
constexpr std::size_t kMessageBytes = 2048;
thread_local char last_message[kMessageBytes];

}  // namespace

vicinal_status fail(vicinal_status code, std::string_view message) noexcept {
  std::size_t length = std::min(message.size(), kMessageBytes - 1);
  if (length < message.size()) {
    // Not within a character of UTF-8.
    while (length > 0 && (static_cast<unsigned char>(message[length]) & 0xC0U) == 0x80U) --length;
  }
  std::memcpy(last_message, message.data(), length);
  last_message[length] = '\0';
  return code;
}

vicinal_status fail(const Status& status) noexcept {
  return fail(static_cast<vicinal_status>(status.code()), status.message());
}

}  // namespace vicinal::c_abi

using vicinal::Status;
using vicinal::c_abi::answer;

const char* vicinal_status_name(vicinal_status status) {
  if (status == VICINAL_OUT_OF_MEMORY) return "out_of_memory";
  if (status == VICINAL_INTERNAL) return "internal";
  if (status < 0 || status > VICINAL_CANCELLED) return "unknown";
  // A literal, so a NUL follows it.
  return vicinal::status_code_name(static_cast<vicinal::StatusCode>(status)).data();
}

const char* vicinal_last_message() { return vicinal::c_abi::last_message; }

const char* vicinal_version() { return vicinal::version().data(); }

vicinal_status vicinal_set_allocator(vicinal_allocate_function allocate,
                                     vicinal_deallocate_function deallocate) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(
        vicinal::c_abi::require(allocate, "allocate", deallocate, "deallocate"));
    if (vicinal::set_allocator({allocate, deallocate})) return {};
    return Status::busy("the engine has allocated already: set the allocator before all else");
  });
}
