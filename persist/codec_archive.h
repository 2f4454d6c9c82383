// The archives under the codec, and what its encoders and decoders share.
//
// What: included by codec*.cc only; see codec.h.
// Ownership: an archive borrows the bytes that it writes or reads.
// Threads: one an archive.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cereal/cereal.hpp>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "graph/types.h"
#include "persist/envelope.h"
#include "vicinal/status.h"

namespace vicinal::persist::codec {

// cereal's own binary archives believe every length and keep reading a short stream. These two work
// on memory, know how much is left, and write little-endian on a little-endian host (format.h).
class Writer : public cereal::OutputArchive<Writer, cereal::AllowEmptyClassElision> {
 public:
  explicit Writer(RecordBuffer* out) : OutputArchive(this), out_(out) {}
  void write(const void* data, std::size_t size) {
    if (size == 0) return;
    const std::size_t old = out_->size();
    if (out_->capacity() < old + size) out_->reserve(std::max(2 * old, old + size + 64));
    out_->resize(old + size);
    std::memcpy(out_->data() + old, data, size);
  }

 private:
  RecordBuffer* out_;
};

class Reader : public cereal::InputArchive<Reader, cereal::AllowEmptyClassElision> {
 public:
  explicit Reader(Bytes in) : InputArchive(this), in_(in) {}
  void read(void* data, std::size_t size) {
    if (size > in_.size()) {
      throw cereal::Exception(fmt::format("{} bytes wanted, {} left", size, in_.size()));
    }
    if (size != 0) std::memcpy(data, in_.data(), size);
    in_ = in_.subspan(size);
  }
  std::size_t left() const { return in_.size(); }

 private:
  Bytes in_;
};

template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(Writer& ar, const T& value) { ar.write(&value, sizeof value); }
template <typename T>
requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(Reader& ar, T& value) { ar.read(&value, sizeof value); }

[[noreturn]] inline void bad(const std::string& what) { throw cereal::Exception(what); }

inline void require(bool condition, const char* what) {
  if (!condition) bad(what);
}

// -- Helpers shared by encoders, and their mirror images -----------------------------------------

template <typename Stored, typename T>
void put_all(Writer& ar, std::span<const T> values) {
  ar(static_cast<std::uint64_t>(values.size()));
  if constexpr (sizeof(Stored) == sizeof(T)) {
    ar.write(values.data(), values.size_bytes());
  } else {
    for (const T value : values) ar(static_cast<Stored>(value));
  }
}

template <typename Stored, typename T>
void get_all(Reader& ar, std::vector<T>* values) {
  std::uint64_t count = 0;
  ar(count);
  if (count > ar.left() / sizeof(Stored)) {
    bad(fmt::format("a list of {} in {} bytes", count, ar.left()));
  }
  values->resize(count);
  if constexpr (sizeof(Stored) == sizeof(T)) {
    ar.read(values->data(), count * sizeof(Stored));
  } else {
    for (T& value : *values) {
      Stored stored{};
      ar(stored);
      value = static_cast<T>(stored);
    }
  }
}

inline void put_node(Writer& ar, graph::NodeId node) { ar(graph::raw(node)); }

inline void check_nodes(std::span<const graph::NodeId> nodes, bool may_be_none) {
  for (const graph::NodeId node : nodes) {
    if (graph::raw(node) >= graph::kMaxNodes && !(may_be_none && node == graph::kNoNode)) {
      bad(fmt::format("node {} is out of range", graph::raw(node)));
    }
  }
}

inline graph::NodeId get_node(Reader& ar, bool may_be_none) {
  std::uint32_t id = 0;
  ar(id);
  const graph::NodeId node{id};
  check_nodes({&node, 1}, may_be_none);
  return node;
}

inline graph::Level get_level(Reader& ar) {
  std::uint8_t level = 0;
  ar(level);
  if (level >= graph::kMaxLevels) bad(fmt::format("level {} is out of range", level));
  return level;
}

/// A record behind room for its envelope: put(archive) writes it.
template <typename Put>
RecordBuffer encode_by(Put&& put) {
  RecordBuffer buffer(kEnvelopeBytes);
  Writer ar(&buffer);
  put(ar);
  return buffer;
}

/// load_from(archive) reads a payload, `whole`: all of it.
template <typename Load>
Status decode_any(Bytes payload, bool whole, Load&& load_from) {
  try {
    Reader ar(payload);
    load_from(ar);
    if (whole && ar.left() != 0) {
      return Status::corruption(fmt::format("{} bytes left over", ar.left()));
    }
    return {};
  } catch (const cereal::Exception& e) {
    return Status::corruption(e.what());
  }
}

}  // namespace vicinal::persist::codec
