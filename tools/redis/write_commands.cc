#include "tools/redis/write_commands.h"

#include <optional>
#include <vector>

#include "tools/redis/creation.h"
#include "tools/redis/key.h"
#include "tools/redis/memory_limit.h"
#include "tools/redis/settings.h"
#include "tools/redis/vector_argument.h"

namespace vicinal::redis {
namespace {

void changed(ServerContext* context, const char* event, ServerString* key) {
  api.ReplicateVerbatim(context);
  api.NotifyKeyspaceEvent(context, kNotifyModule, event, key);
}

struct Addition {
  std::vector<float> vector;
  const ServerString* element = nullptr;
  bool reduced = false;
  CreationOptions creation;
  std::optional<std::string_view> attribute;
};

Addition parse_vadd(ServerString** argv, int argc) {
  if (argc < 5) throw WrongArity();
  Addition addition;
  int at = 2;
  if (is(argv[at], "REDUCE")) {
    number(argv[at + 1], 1, kMostDimensions, "ERR invalid vector specification");
    addition.reduced = true;
    at += 2;
  }
  addition.vector = vector_argument(argv, argc, at);
  if (at >= argc) throw WrongArity();
  addition.element = argv[at++];
  while (at < argc) {
    if (is(argv[at], "CAS")) {
      ++at;
    } else if (at + 1 < argc && is(argv[at], "SETATTR")) {
      addition.attribute = text(argv[at + 1]);
      at += 2;
    } else if (!addition.creation.take(argv, argc, at)) {
      throw Refusal("ERR invalid option after element");
    }
  }
  return addition;
}

}  // namespace

void vadd(ServerContext* context, ServerString** argv, int argc) {
  const Addition addition = parse_vadd(argv, argc);
  refuse_when_full(context);
  Key key(context, argv[1], kReadKey | kWriteKey);
  const bool fresh_key = key.missing();
  if (!fresh_key) {
    check_agreement(addition.creation, *key);
    check_dimension(addition.vector.size(), key->dimension());
  }
  if (addition.reduced) throw Refusal("ERR REDUCE is not supported");
  // A new set becomes the key's when it has its first element.
  SetValue set = fresh_key ? make_set(addition.creation, addition.vector.size()) : key.share();
  const bool fresh =
      value_or_refuse(set->put(text(addition.element), addition.vector, addition.attribute));
  if (fresh_key) key.create(std::move(set));
  changed(context, "vadd", argv[1]);
  api.ReplyWithBool(context, fresh);
}

void vrem(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 3) throw WrongArity();
  Key key(context, argv[1], kReadKey | kWriteKey);
  if (key.missing() || !value_or_refuse(key->remove(text(argv[2])))) {
    api.ReplyWithBool(context, 0);
    return;
  }
  const bool last = key->size() == 0;
  if (last) key.remove();
  changed(context, "vrem", argv[1]);
  if (last) api.NotifyKeyspaceEvent(context, kNotifyGeneric, "del", argv[1]);
  api.ReplyWithBool(context, 1);
}

void vsetattr(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 4) throw WrongArity();
  Key key(context, argv[1], kReadKey | kWriteKey);
  const std::optional<Label> label =
      key.missing() ? std::nullopt : key->elements().find(text(argv[2]));
  if (!label) {
    api.ReplyWithBool(context, 0);
    return;
  }
  const auto before = key->elements().attribute_of(*label);
  if (text(argv[3]).size() > (before ? before->size() : 0)) refuse_when_full(context);
  key->set_attribute(*label, text(argv[3]));
  changed(context, "vsetattr", argv[1]);
  api.ReplyWithBool(context, 1);
}

void madd(ServerContext* context, ServerString** argv, int argc) {
  if (argc < 6) throw WrongArity();
  constexpr const char* kInvalid = "ERR invalid vector specification";
  if (!is(argv[2], "FP32")) throw Refusal(kInvalid);
  const long long count = number(argv[3], 1, 1LL << 31, kInvalid);
  if (count != argc - 5) throw WrongArity();
  const std::string_view blob = text(argv[4]);
  const std::size_t row = sizeof(float) * static_cast<std::size_t>(count);
  if (blob.empty() || blob.size() % row != 0 || blob.size() / row > kMostDimensions) {
    throw Refusal(kInvalid);
  }
  refuse_when_full(context);
  Key key(context, argv[1], kReadKey | kWriteKey);
  const bool fresh_key = key.missing();
  const std::size_t dimension = blob.size() / row;
  if (!fresh_key) check_dimension(dimension, key->dimension());
  std::vector<std::string_view> names;
  names.reserve(static_cast<std::size_t>(count));
  for (int at = 5; at < argc; ++at) names.push_back(text(argv[at]));
  SetValue set = fresh_key ? make_set({}, dimension) : key.share();
  const std::uint64_t fresh = value_or_refuse(set->put_all(names, floats(blob), build_threads()));
  if (fresh_key) key.create(std::move(set));
  changed(context, "vicinal.madd", argv[1]);
  api.ReplyWithLongLong(context, static_cast<long long>(fresh));
}

}  // namespace vicinal::redis
