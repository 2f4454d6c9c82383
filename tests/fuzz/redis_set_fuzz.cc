// Fuzz target: a set of the module's as RESTORE and RDB files have it. Whatever the strings, load_set()
// refuses them or gives a set that can be used and saved again, and no more memory is taken than what
// came needs. Sums are made right first, unless the input's first byte is odd.
//
// Of an input: one byte, then strings, each behind its length in two bytes.
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "tests/engine/stream_reseal.h"
#include "tests/fuzz/script_reader.h"
#include "tests/redis/fake_server.h"
#include "tools/redis/bytes.h"
#include "tools/redis/heap.h"
#include "tools/redis/serialize.h"
#include "tools/redis/stream_rows.h"
#include "vicinal/memory.h"

namespace {

using namespace vicinal;
using namespace vicinal::redis;
using fuzz::expect;
using fuzz::expect_ok;

using Strings = std::vector<std::string>;

const bool kFake = fake::use_fake_server() && set_allocator({hook_allocate, hook_deallocate});

Strings strings_of(fuzz::ScriptReader& script) {
  Strings strings;
  while (!script.empty()) {
    const std::span<const std::byte> bytes = script.bytes(script.number<std::uint16_t>());
    strings.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return strings;
}

void put_sum(std::string_view of, char* to) {
  const std::uint64_t sum = checksum(of);
  std::memcpy(to, &sum, sizeof sum);
}

void sign(Strings& strings) {
  constexpr std::size_t kSum = sizeof(std::uint64_t);
  if (strings.empty()) return;
  std::string& head = strings.front();
  if (head.size() >= kSum) {
    put_sum(std::string_view(head).substr(0, head.size() - kSum), &head[head.size() - kSum]);
  }
  for (std::size_t i = 1; i < strings.size(); ++i) {
    std::string& string = strings[i];
    if (string.starts_with("VICINDEX")) {
      return testing::reseal(std::as_writable_bytes(std::span(string)));
    }
    if (string.size() >= kSum) put_sum(std::string_view(string).substr(kSum), string.data());
  }
}

Result<SetValue> load(const Strings& strings) {
  std::size_t at = 0;
  return load_set(
      [&]() -> Result<std::string_view> {
        if (at == strings.size()) return Status::corruption("no more strings");
        return std::string_view(strings[at++]);
      },
      1);
}

Strings save(const VectorSet& set) {
  Strings strings;
  expect_ok(save_set(set, [&](std::string_view bytes) {
    strings.emplace_back(bytes);
    return Status();
  }));
  return strings;
}

void expect_whole(const VectorSet& set) {
  expect(set.index().size() == set.size(), "as many vectors as names");
  const Result<ValidateReport> report = set.index().validate({.max_messages = 1});
  expect_ok(report.status());
  expect(report->sound(), "the index is sound");
  std::uint64_t names = 0;
  set.elements().walk({}, false, [&](std::string_view name, Label label) {
    ++names;
    expect(set.elements().find(name) == label, "a name leads to its label");
    expect(set.index().contains(label), "which has a vector");
    return true;
  });
  expect(names == set.size(), "every name is met");
}

void walk_rows(const VectorSet& set) {
  std::uint64_t rows = 0;
  StreamRows stream([&](Label label, std::span<const std::byte> row) {
    ++rows;
    expect(set.index().contains(label), "a row is of an element");
    expect(row.size() == set.index().dimension() * sizeof(float), "and whole");
  });
  expect_ok(set.index().save([&](std::span<const std::byte> piece) { return stream.take(piece); }));
  expect_ok(stream.end(set.size()));
  expect(rows == set.size(), "every element has its row");
}

void use(VectorSet& set) {
  expect_whole(set);
  walk_rows(set);
  const std::uint64_t before = set.size();
  const Result<SetValue> again = load(save(set));
  expect_ok(again.status());
  expect((*again)->size() == before, "what was saved is loaded");
  const std::vector<float> ones(set.index().dimension(), 1.0F);
  expect_ok(set.put("a new name, not met before", ones, "{\"a\":1}").status());
  expect_whole(set);
  expect_ok(set.remove("a new name, not met before").status());
  expect_whole(set);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::ScriptReader script(data, size);
  const bool as_given = script.flag();
  Strings strings = strings_of(script);
  if (!as_given) sign(strings);
  std::size_t came = 0;
  for (const std::string& string : strings) came += string.size();
  fake::heap_most = fake::heap_now.load();
  const std::size_t before = fake::heap_now;
  const Result<SetValue> set = load(strings);
  // A graph's nodes are linked with the ef_construction that stands there, at most 10,000.
  constexpr std::size_t kMostLinking = 64 * 10'000;
  expect(fake::heap_most - before < 100'000 + kMostLinking + 64 * came,
         "memory is bounded by what came");
  if (set.ok()) {
    use(**set);
  } else {
    expect(set.status().code() == StatusCode::kCorruption ||
               set.status().code() == StatusCode::kFormatVersion,
           "what is refused is named");
  }
  // What a child reads of its own index is trusted; it still stays within the bytes.
  for (const std::string& string : strings) {
    StreamRows rows([](Label, std::span<const std::byte>) {});
    static_cast<void>(rows.take(std::as_bytes(std::span(string))).ok());
  }
  return 0;
}
