#include "persist/value_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vicinal::persist {
namespace {

// So much of a value is compared before its place is believed: a chunk's header with its checksum.
constexpr std::size_t kProof = 64;

/// Reads until `out` is full.
Status read_fully(int fd, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return Status::io_error(fmt::format("reading {} bytes at {} of the data file: {}", out.size(),
                                          offset, std::strerror(errno)));
    }
    if (n == 0) {
      return Status::corruption(
          fmt::format("the data file ends at {}, {} bytes are wanted there", offset, out.size()));
    }
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

ValueReader::ValueReader(const Environment& environment)
    : fd_(environment.file_descriptor()), page_size_(environment.page_size()) {}

void ValueReader::learn(Bytes value) {
  const auto address = reinterpret_cast<std::uintptr_t>(value.data());
  if (fd_ < 0 || value.size() < page_size_ || address % page_size_ != kLmdbPageHeader) return;
  std::uint64_t page = 0;
  std::memcpy(&page, value.data() - kLmdbPageHeader, sizeof page);
  if (page > address / page_size_) return;
  const std::uint64_t offset = page * page_size_ + kLmdbPageHeader;
  std::array<std::byte, kProof> proof;
  if (!read_fully(fd_, offset, proof).ok()) return;
  if (std::memcmp(proof.data(), value.data(), proof.size()) == 0) map_ = value.data() - offset;
}

Result<bool> ValueReader::read(Bytes value, std::byte* out) const {
  if (map_ == nullptr) return false;
  const auto offset = static_cast<std::uint64_t>(value.data() - map_);
  if (Status s = read_fully(fd_, offset, {out, value.size()}); !s.ok()) return s;
  return true;
}

}  // namespace vicinal::persist
