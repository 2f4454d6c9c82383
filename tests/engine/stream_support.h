// An index as bytes, for tests: sinks and sources over a vector, and what two indexes have to agree in.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/engine/engine_testing.h"
#include "tests/for_sanitizer.h"
#include "vicinal/stream.h"

namespace vicinal::testing {

using StreamBytes = std::vector<std::byte>;

inline ByteSink into(StreamBytes& bytes) {
  return [&bytes](std::span<const std::byte> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return Status();
  };
}

/// Gives at most `at_once` bytes a call; `taken`, if any, counts them.
inline ByteSource out_of(std::span<const std::byte> bytes, std::size_t at_once = ~std::size_t{0},
                         std::size_t* taken = nullptr) {
  return [=, at = std::size_t{0}](std::span<std::byte> room) mutable -> Result<std::size_t> {
    const std::size_t count = std::min({room.size(), at_once, bytes.size() - at});
    if (count > 0) std::memcpy(room.data(), bytes.data() + at, count);
    at += count;
    if (taken != nullptr) *taken = at;
    return count;
  };
}

inline StreamBytes saved(const Index& index) {
  StreamBytes bytes;
  const Status status = index.save(into(bytes));
  EXPECT_TRUE(status.ok()) << status.to_string();
  return bytes;
}

/// Loaded by two threads, and sound.
inline Index loaded(std::span<const std::byte> bytes, IndexOptions tuning = {}) {
  tuning.threads = 2;
  Result<Index> index = Index::load(out_of(bytes), tuning);
  EXPECT_TRUE(index.ok()) << index.status().to_string();
  expect_sound(*index);
  return *index;
}

/// The same labels with the same vectors.
inline void expect_same_content(const Index& a, const Index& b) {
  EXPECT_EQ(a.size(), b.size());
  std::size_t differ = 0;
  const Status walked = a.for_each([&](Label label, std::span<const float> vector) {
    const auto other = b.get(label);
    const bool same =
        other.ok() && std::memcmp(other->data(), vector.data(), vector.size_bytes()) == 0;
    differ += same ? 0 : 1;
    return true;
  });
  EXPECT_TRUE(walked.ok());
  EXPECT_EQ(differ, 0u);
}

/// The same answers, counted work included: the same graph is walked.
inline void expect_same_answers(const Index& a, const Index& b, std::size_t queries = 50) {
  for (std::size_t i = 0; i < queries; ++i) {
    const std::vector<float> query = vector_of(1'000'000 + i, 0, a.dimension());
    const SearchResult one = *a.search(query);
    const SearchResult other = *b.search(query);
    EXPECT_EQ(one.hits, other.hits);
    EXPECT_EQ(one.counters.distances, other.counters.distances);
    EXPECT_EQ(one.counters.nodes_visited, other.counters.nodes_visited);
  }
}

}  // namespace vicinal::testing
