#include <fmt/core.h>

#include "bench/decision/report.h"
#include "tools/format.h"

namespace vicinal::bench {
namespace {

using Path = std::initializer_list<const char*>;

/// The first size whose value is above `limit`, or the value at the largest size measured.
std::string first_above(const Json& record, const std::string& shape, Path path, double factor,
                        double limit, const char* unit) {
  std::string last = "not measured";
  for (const Json& size : record["sizes"]) {
    const std::uint64_t rows = size;
    const auto value = value_at(record, shape, rows, path);
    if (!value) continue;
    if (*value * factor > limit) {
      return fmt::format("reached at {}: {} {}", tools::grouped(rows), shown(value, factor), unit);
    }
    last =
        fmt::format("not reached: {} {} at {}", shown(value, factor), unit, tools::grouped(rows));
  }
  return last;
}

/// The value at the smallest size measured that has `rows` vectors at least.
std::string from_size(const Json& record, const std::string& shape, Path path, double factor,
                      std::uint64_t rows, const char* unit) {
  std::string last = "not measured";
  for (const Json& size : record["sizes"]) {
    const auto value = value_at(record, shape, size.get<std::uint64_t>(), path);
    if (!value) continue;
    const std::string text = fmt::format("{} {} at {}", shown(value, factor), unit,
                                         tools::grouped(size.get<std::uint64_t>()));
    if (size.get<std::uint64_t>() >= rows) return text;
    last = "size not measured; " + text;
  }
  return last;
}

}  // namespace

std::string trigger_table(const Json& record, const std::string& shape) {
  const Json& triggers = record["record"]["triggers"];
  const double batch = record["batch"].get<double>();
  const std::uint64_t vectors = triggers["vectors"];
  const double insert_ms = triggers["insert_ms"].get<double>();
  const double batch_s = triggers["batch_s"].get<double>();
  const Path rebuild = {"store", "rebuild", "batch_s"};
  const Path incremental = {"store", "incremental", "batch_s"};
  const Path single_p99 = {"store", "incremental", "single", "p99_us"};
  std::string text = "| trigger | rebuild on upsert | incremental, durable |\n|---|---|---|\n";
  text += fmt::format("| more than {} vectors | a batch of {}: {} | a batch of {}: {} |\n",
                      tools::grouped(vectors), batch,
                      from_size(record, shape, rebuild, 1, vectors, "s"), batch,
                      from_size(record, shape, incremental, 1, vectors, "s"));
  text += fmt::format("| more than {} ms an insert | amortised over {}: {} | single, p99: {} |\n",
                      insert_ms, batch,
                      first_above(record, shape, rebuild, 1000 / batch, insert_ms, "ms"),
                      first_above(record, shape, single_p99, 1e-3, insert_ms, "ms"));
  text +=
      fmt::format("| an insert that is not batched | the whole rebuild: {} | single, p99: {} |\n",
                  first_above(record, shape, rebuild, 1000, insert_ms, "ms"),
                  first_above(record, shape, single_p99, 1e-3, insert_ms, "ms"));
  text += fmt::format("| more than {} s a batch | {} | {} |\n", batch_s,
                      first_above(record, shape, rebuild, 1, batch_s, "s"),
                      first_above(record, shape, incremental, 1, batch_s, "s"));
  return text;
}

}  // namespace vicinal::bench
