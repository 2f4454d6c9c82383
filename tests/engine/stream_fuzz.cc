// Fuzz target: whatever the bytes, Index::load() refuses them or gives an index that can be used. Sums
// are made right first, or hardly an input would get past them.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "tests/engine/stream_reseal.h"
#include "vicinal/index.h"

namespace {

using namespace vicinal;

void use(Index index) {
  const std::vector<float> ones(index.dimension(), 1.0F);
  if (!index.search(ones).ok()) std::abort();
  if (!index.validate({.max_messages = 1}).ok()) std::abort();
  if (!index.upsert(1, ones).ok()) std::abort();
  if (!index.erase(1).ok()) std::abort();
  if (!index.save([](std::span<const std::byte>) { return Status(); }).ok()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  testing::reseal(bytes);
  std::size_t at = 0;
  const Result<Index> index = Index::load(
      [&](std::span<std::byte> room) -> Result<std::size_t> {
        const std::size_t count = std::min(room.size(), bytes.size() - at);
        if (count > 0) std::memcpy(room.data(), bytes.data() + at, count);
        at += count;
        return count;
      },
      {.threads = 1});
  if (index.ok()) {
    use(*index);
  } else if (index.status().code() != StatusCode::kCorruption &&
             index.status().code() != StatusCode::kFormatVersion) {
    std::abort();
  }
  return 0;
}
