#include "vicinal/status.h"

#include <array>
#include <cstdio>

namespace vicinal {

std::string_view status_code_name(StatusCode code) noexcept {
  constexpr std::array<std::string_view, 11> kNames = {
      "ok",         "invalid_argument", "not_found", "full",   "busy",     "io_error",
      "corruption", "format_version",   "read_only", "closed", "cancelled"};
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : std::string_view("unknown");
}

std::string Status::to_string() const {
  std::string text(status_code_name(code_));
  if (!message_.empty()) text.append(": ").append(message_);
  return text;
}

namespace internal {
void die_on_bad_result_access(const Status& status) {
  std::fprintf(stderr, "vicinal: value of a failed Result read: %s\n", status.to_string().c_str());
  std::abort();
}
}  // namespace internal

}  // namespace vicinal
