#include "tools/redis/serialize.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tools/redis/bytes.h"
#include "tools/redis/fork_guard.h"

namespace vicinal::redis {
namespace {

constexpr std::string_view kSetMagic{"VICSET\0\0", 8};
constexpr std::uint32_t kSetVersion = 1;
constexpr std::size_t kStringBytes = 16 << 20;

Status damaged(const char* what) { return Status::corruption(std::string("a vector set ") + what); }

// Gathers until there is enough for a string.
class Strings {
 public:
  explicit Strings(const StringSink& sink) : sink_(sink) {}

  std::string& room() { return room_; }
  Status end_piece(std::size_t head) {
    return room_.size() < kStringBytes ? Status() : hand_over(head);
  }
  /// Hands over what there is. `head`: of a string with a checksum, its 8 bytes.
  Status hand_over(std::size_t head) {
    if (room_.size() == head) return {};
    if (head > 0) {
      const std::uint64_t sum = checksum(std::string_view(room_).substr(head));
      std::memcpy(room_.data(), &sum, sizeof sum);
    }
    Status done = sink_(room_);
    room_.resize(head);
    return done;
  }

 private:
  const StringSink& sink_;
  std::string room_;
};

Status save_names(const Elements& elements, const StringSink& sink) {
  Strings strings(sink);
  constexpr std::size_t kHead = sizeof(std::uint64_t);
  strings.room().resize(kHead);
  Status done;
  elements.for_each_slot([&](const Label* label) {
    if (!done.ok()) return;
    std::string& room = strings.room();
    if (label == nullptr) {
      append(room, std::uint32_t{0});
    } else {
      const std::string_view name = elements.used_name(*label);
      const auto attribute = elements.attribute_of(*label);
      append(room, static_cast<std::uint32_t>(name.size() + 1));
      append(room, static_cast<std::uint32_t>(*label >> 32));
      append(room, static_cast<std::uint32_t>(attribute ? attribute->size() + 1 : 0));
      room.append(name);
      if (attribute) room.append(*attribute);
    }
    done = strings.end_piece(kHead);
  });
  return done.ok() ? strings.hand_over(kHead) : done;
}

Status save_index(const VectorSet& set, const StringSink& sink) {
  Strings strings(sink);
  Status done = save_still(set, [&](std::span<const std::byte> piece) {
    strings.room().append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return strings.end_piece(0);
  });
  if (!done.ok()) return done;
  if (Status last = strings.hand_over(0); !last.ok()) return last;
  return sink({});
}

struct Head {
  std::uint64_t elements = 0;
  std::uint64_t slots = 0;
  std::uint64_t attributes = 0;
};

std::string head_of(const VectorSet& set) {
  std::string head(kSetMagic);
  append(head, kSetVersion);
  append(head, std::uint32_t{0});
  append(head, set.size());
  append(head, set.elements().slot_count());
  append(head, set.elements().attribute_count());
  append(head, checksum(head));
  return head;
}

Result<Head> read_head(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto magic = reader.text(kSetMagic.size());
  const auto version = reader.integer<std::uint32_t>();
  if (!magic || *magic != kSetMagic || !version) return damaged("has no head");
  if (*version > kSetVersion) {
    return Status::format_version("a vector set of format " + std::to_string(*version) +
                                  ": this module reads " + std::to_string(kSetVersion));
  }
  const auto zero = reader.integer<std::uint32_t>();
  const auto elements = reader.integer<std::uint64_t>();
  const auto slots = reader.integer<std::uint64_t>();
  const auto attributes = reader.integer<std::uint64_t>();
  const std::string_view summed = bytes.substr(0, bytes.size() - reader.rest().size());
  const auto sum = reader.integer<std::uint64_t>();
  if (!zero || !elements || !slots || !attributes || !sum || !reader.empty()) {
    return damaged("has a head of other length");
  }
  if (*version != kSetVersion || *zero != 0 || *sum != checksum(summed)) {
    return damaged("has a damaged head");
  }
  if (*elements > *slots || *attributes > *elements) return damaged("has more elements than slots");
  return Head{*elements, *slots, *attributes};
}

// One record. Everything that it makes is of bytes that came.
Status read_record(ByteReader& reader, Elements& elements) {
  const auto name_length = reader.integer<std::uint32_t>();
  if (!name_length) return damaged("has a name that is cut short");
  if (*name_length == 0) {
    elements.skip_next();
    return {};
  }
  const auto uses = reader.integer<std::uint32_t>();
  const auto attribute_length = reader.integer<std::uint32_t>();
  if (!uses || !attribute_length) return damaged("has a name that is cut short");
  const auto name = reader.text(*name_length - 1);
  const auto attribute = reader.text(*attribute_length == 0 ? 0 : *attribute_length - 1);
  if (!name || !attribute) return damaged("has a name that is cut short");
  const std::optional<Label> label = elements.add_next(*name, *uses);
  if (!label) return damaged("has a name twice");
  if (*attribute_length == 1) return damaged("has an empty attribute");
  elements.set_attribute(*label, make_attribute(*label, *attribute));
  return {};
}

Status load_names(const Head& head, const StringSource& source, Elements& elements) {
  while (elements.slot_count() < head.slots) {
    const Result<std::string_view> bytes = source();
    if (!bytes) return bytes.status();
    ByteReader reader(*bytes);
    const auto sum = reader.integer<std::uint64_t>();
    if (!sum || reader.empty() || *sum != checksum(reader.rest())) {
      return damaged("has damaged names");
    }
    while (!reader.empty()) {
      if (elements.slot_count() == head.slots) return damaged("has more slots than it says");
      if (Status record = read_record(reader, elements); !record.ok()) return record;
    }
  }
  if (elements.size() != head.elements || elements.attribute_count() != head.attributes) {
    return damaged("has other elements than it says");
  }
  return {};
}

// The strings as the stream that they are pieces of.
class Stream {
 public:
  explicit Stream(const StringSource& source) : source_(source) {}

  Result<std::size_t> read(std::span<std::byte> room) {
    if (rest_.empty() && !ended_) {
      const Result<std::string_view> next = source_();
      if (!next) return next.status();
      rest_ = *next;
      ended_ = rest_.empty();
    }
    const std::size_t count = std::min(room.size(), rest_.size());
    if (count > 0) std::memcpy(room.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }
  /// Whether what follows is the end.
  Result<bool> at_end() {
    if (ended_ || !rest_.empty()) return ended_;
    const Result<std::string_view> next = source_();
    if (!next) return next.status();
    return next->empty();
  }

 private:
  const StringSource& source_;
  std::string_view rest_;
  bool ended_ = false;
};

// RM4 holds: the index has each label, and no others.
Status check_together(const VectorSet& set) {
  if (set.index().size() != set.size()) return damaged("has other vectors than names");
  Status found;
  set.elements().for_each_slot([&](const Label* label) {
    if (label != nullptr && found.ok() && !set.index().contains(*label)) {
      found = damaged("has a name without a vector");
    }
  });
  return found;
}

}  // namespace

Status save_set(const VectorSet& set, const StringSink& sink) {
  if (Status head = sink(head_of(set)); !head.ok()) return head;
  if (Status names = save_names(set.elements(), sink); !names.ok()) return names;
  return save_index(set, sink);
}

Result<SetValue> load_set(const StringSource& source, unsigned threads) {
  const Result<std::string_view> first = source();
  if (!first) return first.status();
  const Result<Head> head = read_head(*first);
  if (!head) return head.status();
  auto elements = std::make_unique<Elements>();
  if (Status names = load_names(*head, source, *elements); !names.ok()) return names;
  Stream stream(source);
  // Vectors without links are linked as they are loaded: a set that was saved has as many as there may be
  // without a graph, and the bytes of an enemy would stop the server for minutes.
  constexpr std::uint64_t kMostToLink = 1000;
  IndexOptions loading{.threads = threads};
  loading.progress = [](const Progress& progress) {
    return std::string_view(progress.phase) != "links" || progress.total <= kMostToLink;
  };
  Result<Index> index =
      Index::load([&stream](std::span<std::byte> room) { return stream.read(room); }, loading);
  if (index.status().code() == StatusCode::kCancelled) return damaged("has vectors without links");
  if (!index) return index.status();
  const Result<bool> ended = stream.at_end();
  if (!ended) return ended.status();
  if (!*ended) return damaged("goes on behind its end");
  // What commands give and take is float32, and so is what aof.cc reads.
  if (index->options().storage != Storage::kFloat32) return damaged("has no float32 vectors");
  auto set = std::make_shared<VectorSet>(std::move(*index), std::move(elements));
  if (Status together = check_together(*set); !together.ok()) return together;
  set->measure();
  return SetValue(std::move(set));
}

}  // namespace vicinal::redis
