#include "tools/redis/aof.h"

#include <cstring>
#include <span>
#include <string_view>

#include "tools/redis/fork_guard.h"
#include "tools/redis/stream_rows.h"

namespace vicinal::redis {
namespace {

const char* metric_word(Metric metric) {
  switch (metric) {
    case Metric::kCosine:
      return "cosine";
    case Metric::kInnerProduct:
      return "ip";
    case Metric::kSquaredL2:
      return "l2";
  }
  return "cosine";
}

struct Words {
  const char* quantization;
  long long ef;
  long long M;
};

void emit_add(ServerIo* io, ServerString* key, const Words& words, std::span<const std::byte> row,
              std::string_view name, std::optional<std::string_view> attribute) {
  const char* const command = registered_name("VADD");
  const auto* const blob = reinterpret_cast<const char*>(row.data());
  if (attribute) {
    api.EmitAOF(io, command, "scbbcclclcb", key, "FP32", blob, row.size(), name.data(), name.size(),
                words.quantization, "EF", words.ef, "M", words.M, "SETATTR", attribute->data(),
                attribute->size());
  } else {
    api.EmitAOF(io, command, "scbbcclcl", key, "FP32", blob, row.size(), name.data(), name.size(),
                words.quantization, "EF", words.ef, "M", words.M);
  }
}

}  // namespace

Status rewrite_set(ServerIo* io, ServerString* key, const VectorSet& set) {
  const IndexOptions& options = set.options();
  const Words words{options.quantization == Quantization::kInt8 ? "Q8" : "NOQUANT",
                    options.ef_construction, options.M};
  if (set.size() == 0 || options.metric != Metric::kCosine) {
    api.EmitAOF(io, "VICINAL.CREATE", "sclccclclc", key, "DIM",
                static_cast<long long>(options.dimension), "METRIC", metric_word(options.metric),
                "M", words.M, "EF", words.ef, words.quantization);
  }
  // The index is read as it is saved: that takes no lock, which a thread that is not in this process may
  // have held.
  StreamRows rows([&](Label label, std::span<const std::byte> row) {
    const auto name = set.elements().name_of(label);
    if (!name) return;
    emit_add(io, key, words, row, *name, set.elements().attribute_of(label));
  });
  Status done =
      save_still(set, [&rows](std::span<const std::byte> piece) { return rows.take(piece); });
  return done.ok() ? rows.end(set.size()) : done;
}

}  // namespace vicinal::redis
