#include "tools/redis/creation.h"

#include <algorithm>
#include <memory>

#include "tools/redis/key.h"
#include "tools/redis/memory_limit.h"
#include "tools/redis/settings.h"
#include "tools/redis/write_commands.h"

namespace vicinal::redis {
namespace {

constexpr long long kUsualM = 16;
constexpr long long kUsualEfConstruction = 200;
constexpr long long kEngineMostM = 64;
constexpr long long kEngineMostEfConstruction = 10000;

Metric metric_of(const ServerString* word) {
  if (is(word, "COSINE")) return Metric::kCosine;
  if (is(word, "IP")) return Metric::kInnerProduct;
  if (is(word, "L2")) return Metric::kSquaredL2;
  throw Refusal("ERR invalid METRIC: cosine, ip or l2");
}

}  // namespace

bool CreationOptions::take(ServerString** argv, int argc, int& at) {
  const ServerString* const word = argv[at];
  if (is(word, "NOQUANT")) {
    quant = Quant::kNone;
  } else if (is(word, "Q8")) {
    quant = Quant::kInt8;
  } else if (is(word, "BIN")) {
    quant = Quant::kBinary;
  } else if (at + 1 < argc && is(word, "EF")) {
    ef = number(argv[++at], 1, 1000000, "ERR invalid EF");
  } else if (at + 1 < argc && is(word, "M")) {
    M = number(argv[++at], 4, 4096, "ERR invalid M");
    if (*M > kEngineMostM) throw Refusal("ERR M above 64 is not supported");
  } else {
    return false;
  }
  ++at;
  return true;
}

void check_agreement(const CreationOptions& options, const VectorSet& set) {
  const bool int8 = set.options().quantization == Quantization::kInt8;
  using Quant = CreationOptions::Quant;
  if (options.quant && *options.quant != (int8 ? Quant::kInt8 : Quant::kNone)) {
    throw Refusal("ERR asked quantization mismatch with existing vector set");
  }
  if (options.M && *options.M != set.options().M) {
    throw Refusal("ERR asked M value mismatch with existing vector set");
  }
}

SetValue make_set(const CreationOptions& options, std::size_t dimension) {
  if (options.quant == CreationOptions::Quant::kBinary) {
    throw Refusal("ERR BIN quantization is not supported");
  }
  const long long M = options.M.value_or(kUsualM);
  IndexOptions index;
  index.dimension = static_cast<std::uint32_t>(dimension);
  index.metric = options.metric;
  index.M = static_cast<std::uint32_t>(M);
  index.ef_construction = static_cast<std::uint32_t>(
      std::clamp(options.ef.value_or(kUsualEfConstruction), M, kEngineMostEfConstruction));
  index.quantization =
      options.quant == CreationOptions::Quant::kNone ? Quantization::kNone : Quantization::kInt8;
  index.threads = build_threads();
  return std::make_shared<VectorSet>(value_or_refuse(Index::in_memory(index)));
}

void create(ServerContext* context, ServerString** argv, int argc) {
  if (argc < 4) throw WrongArity();
  if (!is(argv[2], "DIM")) throw Refusal("ERR syntax error in VICINAL.CREATE command");
  const long long dimension = number(argv[3], 1, 65536, "ERR invalid DIM");
  CreationOptions options;
  for (int at = 4; at < argc;) {
    if (at + 1 < argc && is(argv[at], "METRIC")) {
      options.metric = metric_of(argv[at + 1]);
      at += 2;
    } else if (!options.take(argv, argc, at)) {
      throw Refusal("ERR syntax error in VICINAL.CREATE command");
    }
  }
  refuse_when_full(context);
  Key key(context, argv[1], kReadKey | kWriteKey);
  if (!key.missing()) throw Refusal("BUSYKEY Target key name already exists.");
  key.create(make_set(options, static_cast<std::size_t>(dimension)));
  api.ReplicateVerbatim(context);
  api.NotifyKeyspaceEvent(context, kNotifyModule, "vicinal.create", argv[1]);
  api.ReplyWithSimpleString(context, "OK");
}

}  // namespace vicinal::redis
