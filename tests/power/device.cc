#include "tests/power/device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <utility>

namespace vicinal::testing {

Device::Device(std::string root) : root_(std::move(root)) {
  adopt(root_);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    adopt(entry.path().string());
  }
  names_ = first_names_;
}

void Device::adopt(const std::string& path) {
  const FileId file = ++last_;
  first_names_[path] = file;
  if (std::filesystem::is_directory(path)) {
    folders_[file] = true;
    return;
  }
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  std::ifstream in(path, std::ios::binary);
  in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  first_bytes_[file] = std::move(bytes);
}

std::size_t Device::add(Event event) {
  events_.push_back(std::move(event));
  return events_.size() - 1;
}

std::size_t Device::mark() {
  const std::lock_guard lock(mutex_);
  return add({});
}

FileId Device::file_of(const SystemCall& call) const {
  const auto found = descriptors_.find(call.fd);
  return found == descriptors_.end() ? 0 : found->second;
}

Verdict Device::before(const SystemCall& call) {
  const std::lock_guard lock(mutex_);
  if (call.call == Call::kSync && file_of(call) != 0) {
    syncing_[call.fd] = add({Event::Kind::kSyncBegin, file_of(call)});
  }
  return {};
}

void Device::after(const SystemCall& call, long result) {
  const std::lock_guard lock(mutex_);
  if (call.call == Call::kClose) descriptors_.erase(call.fd);
  if (result < 0) return;
  const FileId file = file_of(call);
  switch (call.call) {
    case Call::kOpen:
      opened(call, static_cast<int>(result));
      return;
    case Call::kWrite:
      written(call, static_cast<std::size_t>(result));
      return;
    case Call::kSize:
      if (file != 0) resized(file, call.offset);
      return;
    case Call::kAllocate: {
      struct stat info {};
      if (file != 0 && ::fstat(call.fd, &info) == 0) resized(file, info.st_size);
      return;
    }
    case Call::kSync: {
      Event event{Event::Kind::kSyncEnd, file};
      event.of = syncing_[call.fd];
      if (file != 0) add(std::move(event));
      return;
    }
    case Call::kRename:
      named(call.to, names_[call.path], call.path);
      return;
    case Call::kRemove:
      named({}, 0, call.path);
      return;
    case Call::kMakeFolder:
      folders_[++last_] = true;
      named(call.path, last_, {});
      return;
    default:
      return;
  }
}

void Device::opened(const SystemCall& call, int fd) {
  auto found = names_.find(call.path);
  if (found == names_.end()) {
    const bool folder = std::filesystem::is_directory(call.path);
    if (folder) folders_[last_ + 1] = true;
    named(call.path, ++last_, {});
    found = names_.find(call.path);
  } else if ((call.flags & O_TRUNC) != 0) {
    resized(found->second, 0);
  }
  descriptors_[fd] = found->second;
}

void Device::written(const SystemCall& call, std::size_t bytes) {
  Event event{Event::Kind::kWrite, file_of(call)};
  if (event.file == 0) return;
  event.offset = call.offset;
  for (const iovec& piece : call.bytes) {
    const auto* const begin = static_cast<const std::byte*>(piece.iov_base);
    const std::size_t size = std::min(piece.iov_len, bytes - event.bytes.size());
    event.bytes.insert(event.bytes.end(), begin, begin + size);
  }
  const FileId file = event.file;
  const std::size_t at = add(std::move(event));
  if ((call.flags & (O_DSYNC | O_SYNC)) == 0) return;
  Event synced{Event::Kind::kSyncEnd, file};
  synced.of = at;
  add(std::move(synced));
}

void Device::resized(FileId file, std::int64_t size) {
  Event event{Event::Kind::kSize, file};
  event.offset = size;
  add(std::move(event));
}

std::string Device::told(std::size_t position, std::size_t count) const {
  static constexpr std::array kKinds = {"write", "size", "name", "sync", "synced", "mark"};
  std::map<FileId, std::string> paths;
  for (const auto& [path, file] : first_names_) paths[file] = path;
  std::string text;
  for (std::size_t i = 0; i < position; ++i) {
    const Event& event = events_[i];
    if (event.kind == Event::Kind::kName && event.file != 0) paths[event.file] = event.path;
    if (i + count < position) continue;
    text += fmt::format("\n  {} {} {}", i, kKinds[static_cast<std::size_t>(event.kind)],
                        paths[event.file]);
    if (event.kind == Event::Kind::kName) text += fmt::format(" instead of '{}'", event.other);
    if (event.kind == Event::Kind::kSyncEnd) text += fmt::format(" of {}", event.of);
    if (event.kind == Event::Kind::kWrite) text += fmt::format(" {} bytes", event.bytes.size());
    if (event.kind <= Event::Kind::kSize) text += fmt::format(" at {}", event.offset);
  }
  return text;
}

void Device::named(const std::string& path, FileId file, const std::string& other) {
  if (!other.empty()) names_.erase(other);
  if (!path.empty()) names_[path] = file;
  Event event{Event::Kind::kName, file};
  event.path = path;
  event.other = other;
  add(std::move(event));
}

}  // namespace vicinal::testing
