#include <fmt/core.h>

#include "bench/decision/report.h"
#include "tools/format.h"

namespace vicinal::bench {
namespace {

/// What the decision record says of a size; null when it names another.
const Json* quoted_line(const Json& record, std::uint64_t size) {
  for (const Json& line : record["record"]["lines"]) {
    if (line["size"] == size) return &line;
  }
  return nullptr;
}

std::string quoted_rebuild(const Json& record, std::uint64_t size) {
  const Json* line = quoted_line(record, size);
  if (line == nullptr) return "";
  const std::string text = shown((*line)["rebuild_s"].get<double>());
  return (*line)["rebuild_estimated"].get<bool>() ? "(" + text + ")" : text;
}

std::string quoted_insert(const Json& record, std::uint64_t size) {
  const Json* line = quoted_line(record, size);
  if (line == nullptr) return "";
  return fmt::format("({})", shown((*line)["incremental_ms_estimated"].get<double>()));
}

std::optional<double> ratio(std::optional<double> above, std::optional<double> below) {
  if (!above || !below || *below <= 0) return std::nullopt;
  return *above / *below;
}

/// One row a size: `cells` gives what stands behind the size.
template <typename Cells>
std::string by_size(const Json& record, const std::string& head, const Cells& cells) {
  std::string text = head;
  for (const Json& size : record["sizes"]) {
    const std::uint64_t rows = size;
    text += fmt::format("| {} |", tools::grouped(rows));
    for (const std::string& cell : cells(rows)) text += fmt::format(" {} |", cell);
    text += "\n";
  }
  return text;
}

using Row = std::vector<std::string>;

}  // namespace

std::string rebuild_table(const Json& record, const std::string& shape) {
  const double per_insert = 1000 / record["batch"].get<double>();
  return by_size(record,
                 "| vectors | record: rebuild, s | batch, s | per insert, ms | memory beyond, MiB "
                 "| index, MiB "
                 "| store, MiB |\n|--:|--:|--:|--:|--:|--:|--:|\n",
                 [&](std::uint64_t size) {
                   const auto value = [&](const char* name) {
                     return value_at(record, shape, size, {"store", "rebuild", name});
                   };
                   return Row{quoted_rebuild(record, size),
                              shown(value("batch_s")),
                              shown(value("batch_s"), per_insert),
                              shown(value("peak_extra_mb")),
                              shown(value("index_mb")),
                              shown(value("disk_mb"))};
                 });
}

std::string incremental_table(const Json& record, const std::string& shape) {
  std::string text;
  for (const char* const path : {"store", "memory"}) {
    text += by_size(
        record,
        fmt::format("| vectors, {} | record: an insert | single: mean | p50 | p99 | batch | per "
                    "insert in a batch | rebuild by incremental |\n"
                    "|--:|--:|--:|--:|--:|--:|--:|--:|\n",
                    std::string(path) == "store" ? "durable" : "in memory"),
        [&](std::uint64_t size) {
          const auto single = [&](const char* name) {
            return shown(value_at(record, shape, size, {path, "incremental", "single", name}),
                         1e-3);
          };
          const auto batch = value_at(record, shape, size, {path, "incremental", "batch_s"});
          const auto rebuild = value_at(record, shape, size, {"store", "rebuild", "batch_s"});
          return Row{quoted_insert(record, size),
                     single("mean_us"),
                     single("p50_us"),
                     single("p99_us"),
                     shown(batch, 1e3),
                     shown(batch, 1e3 / record["batch"].get<double>()),
                     shown(ratio(rebuild, batch))};
        });
    text += "\n";
  }
  return text;
}

std::optional<std::uint64_t> wins_from(const Json& record, const std::string& shape,
                                       const std::string& batch) {
  std::optional<std::uint64_t> from;
  for (const Json& line : record["crossover"]) {
    if (line["shape"] != shape || line["batch"] != batch) continue;
    const bool wins = line["rebuild_s"].get<double>() > line["incremental_s"].get<double>();
    if (!wins) {
      from.reset();
    } else if (!from) {
      from = line["size"].get<std::uint64_t>();
    }
  }
  return from;
}

std::string crossover_table(const Json& record, const std::string& shape) {
  std::string head = "| batch |";
  std::string rule = "|---|";
  for (const Json& size : record["crossover_sizes"]) {
    head += fmt::format(" {} |", tools::grouped(size.get<std::uint64_t>()));
    rule += "--:|";
  }
  std::string text = head + " incremental wins from |\n" + rule + "--:|\n";
  for (const char* const batch : {"1", "10", "100", "1,000", "10 %", "50 %"}) {
    text += fmt::format("| {} |", batch);
    bool measured = false;
    for (const Json& size : record["crossover_sizes"]) {
      std::optional<double> times;
      for (const Json& line : record["crossover"]) {
        if (line["shape"] != shape || line["batch"] != batch || line["size"] != size) continue;
        times = ratio(line["rebuild_s"].get<double>(), line["incremental_s"].get<double>());
        measured = true;
      }
      text += fmt::format(" {} |", shown(times));
    }
    const auto from = wins_from(record, shape, batch);
    text += fmt::format(" {} |\n", from       ? tools::grouped(*from)
                                   : measured ? "no size measured"
                                              : "not measured");
  }
  return text;
}

std::string quality_table(const Json& record, const std::string& shape) {
  std::string text =
      by_size(record, "| vectors | recall, incremental | recall, rebuilt |\n|--:|--:|--:|\n",
              [&](std::uint64_t size) {
                const auto recall = [](std::optional<double> value) {
                  return value ? fmt::format("{:.4f}", *value) : std::string("not measured");
                };
                return Row{recall(value_at(record, shape, size, {"store", "recall_incremental"})),
                           recall(value_at(record, shape, size, {"store", "rebuild", "recall"}))};
              });
  text += by_size(record,
                  "\n| vectors | idle p50 | idle p99 | rebuild p50 | rebuild p99 | durable inserts "
                  "p50 | durable "
                  "inserts p99 | memory inserts p50 | memory inserts p99 |\n"
                  "|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
                  [&](std::uint64_t size) {
                    const auto value = [&](std::initializer_list<const char*> path) {
                      return shown(value_at(record, shape, size, path));
                    };
                    return Row{value({"store", "search_idle", "p50_us"}),
                               value({"store", "search_idle", "p99_us"}),
                               value({"store", "search_beside_rebuild", "p50_us"}),
                               value({"store", "search_beside_rebuild", "p99_us"}),
                               value({"store", "incremental", "search_beside_inserts", "p50_us"}),
                               value({"store", "incremental", "search_beside_inserts", "p99_us"}),
                               value({"memory", "incremental", "search_beside_inserts", "p50_us"}),
                               value({"memory", "incremental", "search_beside_inserts", "p99_us"})};
                  });
  return text;
}

}  // namespace vicinal::bench
