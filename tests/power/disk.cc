#include "tests/power/disk.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

namespace vicinal::testing {
namespace {

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

void write_at(std::vector<std::byte>& bytes, std::size_t offset, const std::byte* from,
              std::size_t size) {
  if (bytes.size() < offset + size) bytes.resize(offset + size);
  std::memcpy(bytes.data() + offset, from, size);
}

}  // namespace

// -- Images ---------------------------------------------------------------------------------------

std::uint64_t Image::hash() const {
  XXH64_hash_t sum = 0;
  for (const std::string& folder : folders) {
    sum = XXH3_64bits_withSeed(folder.data(), folder.size(), sum + 1);
  }
  for (const auto& [path, bytes] : files) {
    sum = XXH3_64bits_withSeed(path.data(), path.size(), sum);
    sum = XXH3_64bits_withSeed(bytes.data(), bytes.size(), sum);
  }
  return sum;
}

void Image::make(const std::string& folder) const {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (const std::string& made : folders) std::filesystem::create_directory(folder + made);
  for (const auto& [path, bytes] : files) {
    std::ofstream out(folder + path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
}

// -- The log, event by event ----------------------------------------------------------------------

Disk::Disk(const Device& device) : device_(device), names_(device.first_names()) {
  for (const auto& [file, bytes] : device.first_bytes()) files_[file].bytes = bytes;
}

bool Disk::advance() {
  if (position_ == device_.events().size()) return false;
  const Event& event = device_.events()[position_];
  switch (event.kind) {
    case Event::Kind::kWrite:
    case Event::Kind::kSize:
      files_[event.file].pending.push_back({position_, false});
      break;
    case Event::Kind::kName:
      pending_names_.push_back(position_);
      break;
    case Event::Kind::kSyncEnd:
      synced(event);
      break;
    case Event::Kind::kSyncBegin:
    case Event::Kind::kMark:
      break;
  }
  ++position_;
  return true;
}

std::size_t Disk::pending() const {
  std::size_t sum = pending_names_.size();
  for (const auto& [id, file] : files_) {
    for (const Pending& pending : file.pending) sum += pending.durable ? 0 : 1;
  }
  return sum;
}

void Disk::apply(const Event& event, std::vector<std::byte>& bytes) {
  if (event.kind == Event::Kind::kSize) {
    bytes.resize(static_cast<std::size_t>(event.offset));
  } else {
    write_at(bytes, static_cast<std::size_t>(event.offset), event.bytes.data(), event.bytes.size());
  }
}

void Disk::apply_name(const Event& event, std::map<std::string, FileId>& names) const {
  if (!event.other.empty()) names.erase(event.other);
  if (!event.path.empty()) names[event.path] = event.file;
}

/// A rename is durable with the folder that it goes to.
bool Disk::concerns(const Event& name, FileId folder) const {
  const std::string parent = parent_of(name.path.empty() ? name.other : name.path);
  for (const auto& [path, file] : device_.first_names()) {
    if (file == folder) return path == parent;
  }
  for (std::size_t i = 0; i < position_; ++i) {
    const Event& made = device_.events()[i];
    if (made.kind == Event::Kind::kName && made.file == folder) return made.path == parent;
  }
  return false;
}

void Disk::synced(const Event& end) {
  if (device_.is_folder(end.file)) {
    std::erase_if(pending_names_, [&](std::size_t at) {
      const Event& name = device_.events()[at];
      const bool durable = at < end.of && concerns(name, end.file);
      if (durable) apply_name(name, names_);
      return durable;
    });
    return;
  }
  File& file = files_[end.file];
  if (device_.events()[end.of].kind == Event::Kind::kWrite) {
    for (Pending& pending : file.pending) pending.durable |= pending.event == end.of;
    return;
  }
  std::erase_if(file.pending, [&](const Pending& pending) {
    if (pending.event > end.of) return false;
    apply(device_.events()[pending.event], file.bytes);
    return true;
  });
}

// -- What is left ---------------------------------------------------------------------------------

/// Decides about one thing after the other.
struct Disk::Maker {
  const Fate& fate;
  std::mt19937_64& random;
  std::size_t chosen = 0;  ///< of Only
  std::size_t asked = 0;
  bool torn = false;

  bool keeps() {
    const bool is_chosen = asked++ == chosen;
    if (fate.only == Fate::Only::kOneLost) return !is_chosen;
    if (fate.only == Fate::Only::kOneKept) return is_chosen;
    return share();
  }
  bool share() {
    if (fate.kept >= 1) return true;
    return fate.kept > 0 && std::uniform_real_distribution<>()(random) < fate.kept;
  }
  bool decides_sizes() const { return fate.only == Fate::Only::kAny; }

  /// What is kept of a write.
  void write(const Event& event, std::vector<std::byte>& bytes) {
    if (fate.sector == 0 || fate.only != Fate::Only::kAny) {
      if (keeps()) apply(event, bytes);
      return;
    }
    std::size_t kept = 0;
    for (std::size_t at = 0; at < event.bytes.size();) {
      const std::size_t place = static_cast<std::size_t>(event.offset) + at;
      const std::size_t size = std::min(fate.sector - place % fate.sector, event.bytes.size() - at);
      if (share()) {
        write_at(bytes, place, &event.bytes[at], size);
        kept += size;
      }
      at += size;
    }
    torn |= kept > 0 && kept < event.bytes.size();
  }

  /// A size that the file had since `bytes`, the last one being `newest`.
  std::size_t size(std::size_t synced, const std::vector<std::size_t>& since) {
    if (since.empty()) return synced;
    if (fate.kept >= 1 || !decides_sizes()) return since.back();
    if (fate.kept <= 0) return synced;
    const std::size_t which = random() % (since.size() + 1);
    return which == since.size() ? synced : since[which];
  }
};

Image Disk::image(const Fate& fate, std::mt19937_64& random) const {
  Maker maker{fate, random};
  maker.chosen = random() % std::max<std::size_t>(pending(), 1);
  std::map<std::string, FileId> names = names_;
  for (const std::size_t at : pending_names_) {
    if (maker.keeps()) apply_name(device_.events()[at], names);
  }
  Image image;
  std::set<std::string> there{device_.root()};
  for (const auto& [path, id] : names) {  // parents come first
    if (path == device_.root() || !there.contains(parent_of(path))) continue;
    const std::string below = path.substr(device_.root().size());
    if (device_.is_folder(id)) {
      there.insert(path);
      image.folders.push_back(below);
      continue;
    }
    const auto found = files_.find(id);
    std::vector<std::byte>& bytes = image.files[below];
    if (found == files_.end()) continue;
    bytes = found->second.bytes;
    std::size_t least = bytes.size();  // what durable writes need
    std::vector<std::size_t> sizes;
    std::size_t size = bytes.size();
    for (const Pending& pending : found->second.pending) {
      const Event& event = device_.events()[pending.event];
      const auto end = static_cast<std::size_t>(event.offset) + event.bytes.size();
      const std::size_t before = size;
      size = event.kind == Event::Kind::kSize ? end : std::max(size, end);
      if (size != before) sizes.push_back(size);
      if (pending.durable) {
        apply(event, bytes);
        least = std::max(least, end);
      } else if (event.kind == Event::Kind::kWrite) {
        maker.write(event, bytes);
      }
    }
    bytes.resize(std::max(maker.size(found->second.bytes.size(), sizes), least));
  }
  image.torn = maker.torn;
  return image;
}

}  // namespace vicinal::testing
