#include "tools/redis/read_commands.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/redis/key.h"
#include "tools/redis/reply.h"

namespace vicinal::redis {
namespace {

std::optional<Label> find(const Key& key, const ServerString* element) {
  return key.missing() ? std::nullopt : key->elements().find(text(element));
}

const char* quantization_word(const VectorSet& set) {
  return set.options().quantization == Quantization::kInt8 ? "int8" : "f32";
}

// Redis keeps cosine vectors of length 1 and their length beside; int8 codes are components by the largest.
void reply_raw(ServerContext* context, const VectorSet& set, std::span<const float> vector) {
  double norm = 1;
  if (set.options().metric == Metric::kCosine) {
    double sum = 0;
    for (const float x : vector) sum += double{x} * x;
    norm = std::sqrt(sum);
  }
  const bool int8 = set.options().quantization == Quantization::kInt8;
  api.ReplyWithArray(context, int8 ? 4 : 3);
  api.ReplyWithSimpleString(context, quantization_word(set));
  std::vector<float> scaled;
  scaled.reserve(vector.size());
  float range = 0;
  for (const float x : vector) {
    scaled.push_back(static_cast<float>(x / norm));
    range = std::max(range, std::fabs(scaled.back()));
  }
  if (!int8) {
    api.ReplyWithStringBuffer(context, reinterpret_cast<const char*>(scaled.data()),
                              scaled.size() * sizeof(float));
    api.ReplyWithDouble(context, norm);
    return;
  }
  std::string codes;
  codes.reserve(scaled.size());
  for (const float x : scaled) {
    codes.push_back(static_cast<char>(range > 0 ? std::lround(x / range * 127) : 0));
  }
  reply_text(context, codes);
  api.ReplyWithDouble(context, norm);
  api.ReplyWithDouble(context, range);
}

}  // namespace

void vcard(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  api.ReplyWithLongLong(context, key.missing() ? 0 : static_cast<long long>(key->size()));
}

void vdim(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  if (key.missing()) throw Refusal("ERR key does not exist");
  api.ReplyWithLongLong(context, key->dimension());
}

void vismember(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 3) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  api.ReplyWithBool(context, find(key, argv[2]).has_value());
}

void vgetattr(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 3) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  const std::optional<Label> label = find(key, argv[2]);
  const auto attribute = label ? key->elements().attribute_of(*label) : std::nullopt;
  if (!attribute) {
    api.ReplyWithNull(context);
    return;
  }
  reply_text(context, *attribute);
}

void vemb(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 3 && argc != 4) throw WrongArity();
  if (argc == 4 && !is(argv[3], "RAW")) throw Refusal("ERR invalid option");
  const Key key(context, argv[1], kReadKey);
  const std::optional<Label> label = find(key, argv[2]);
  if (!label) {
    api.ReplyWithNull(context);
    return;
  }
  const std::vector<float> vector = value_or_refuse(key->index().get(*label));
  if (argc == 4) return reply_raw(context, *key, vector);
  api.ReplyWithArray(context, static_cast<long>(vector.size()));
  for (const float x : vector) api.ReplyWithDouble(context, x);
}

void vinfo(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  const Key key(context, argv[1], kReadKey);
  if (key.missing()) {
    api.ReplyWithNullArray(context);
    return;
  }
  api.ReplyWithMap(context, 9);
  reply_field(context, "quant-type", quantization_word(*key));
  reply_field(context, "hnsw-m", key->options().M);
  reply_field(context, "vector-dim", key->dimension());
  reply_field(context, "projection-input-dim", 0ULL);
  reply_field(context, "size", key->size());
  reply_field(context, "max-level", key->max_level());
  reply_field(context, "attributes-count", key->elements().attribute_count());
  reply_field(context, "vset-uid", key->uid());
  reply_field(context, "hnsw-max-node-uid", key->elements().slot_count());
}

}  // namespace vicinal::redis
