#include "tools/redis/vector_argument.h"

#include <bit>
#include <cstring>
#include <string>

#include "tools/redis/key.h"

namespace vicinal::redis {

static_assert(std::endian::native == std::endian::little, "FP32 is read as it lies");

namespace {
constexpr const char* kInvalid = "ERR invalid vector specification";
}  // namespace

std::vector<float> floats(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

std::vector<float> vector_argument(ServerString** argv, int argc, int& at) {
  if (at + 1 >= argc) throw Refusal(kInvalid);
  if (is(argv[at], "FP32")) {
    const std::string_view blob = text(argv[at + 1]);
    if (blob.empty() || blob.size() % sizeof(float) != 0 ||
        blob.size() > kMostDimensions * sizeof(float)) {
      throw Refusal(kInvalid);
    }
    at += 2;
    return floats(blob);
  }
  if (!is(argv[at], "VALUES")) throw Refusal(kInvalid);
  const long long count = number(argv[at + 1], 1, kMostDimensions, kInvalid);
  at += 2;
  if (count > argc - at) throw Refusal(kInvalid);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(count));
  for (; values.size() < static_cast<std::size_t>(count); ++at) {
    double value = 0;
    if (api.StringToDouble(argv[at], &value) != kOk) throw Refusal(kInvalid);
    values.push_back(static_cast<float>(value));
  }
  return values;
}

void check_dimension(std::size_t got, std::uint32_t has) {
  if (got == has) return;
  throw Refusal("ERR Vector dimension mismatch - got " + std::to_string(got) + " but set has " +
                std::to_string(has));
}

double score(double distance, bool cosine) { return 1.0 - (cosine ? distance / 2 : distance); }

}  // namespace vicinal::redis
