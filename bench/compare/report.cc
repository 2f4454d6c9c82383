#include "bench/compare/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "bench/compare/measure.h"
#include "tools/format.h"

namespace vicinal::bench {
namespace {

constexpr const char* kReference = "hnswlib";

const Json* points_of(const Json& result, const std::string& engine) {
  for (const Json& line : result["queries"]) {
    if (line["engine"] == engine) return &line["points"];
  }
  return nullptr;
}

std::string times(double value, double reference) {
  return reference > 0 ? fmt::format("{:.2f}", value / reference) : "";
}

std::string number(const Json* line, const char* key, int digits = 0) {
  if (line == nullptr || !line->contains(key)) return "";
  const double value = (*line)[key].get<double>();
  if (digits > 0) return fmt::format("{:.{}f}", value, digits);
  return value < 0 ? fmt::format("{:.0f}", value)
                   : tools::grouped(static_cast<std::uint64_t>(std::llround(value)));
}

/// The batch build of hnswlib that a build is compared with.
double reference_rate(const Json& result, unsigned threads) {
  const Json* line = find_line(result, "builds", kReference, "", threads);
  return line == nullptr ? 0 : (*line)["inserts_per_s"].get<double>();
}

/// Of several graphs the median, and from where to where.
std::string recall_cell(const Json& line) {
  const std::string recall = number(&line, "recall", 4);
  if (!line.contains("recalls")) return recall;
  const std::vector<double> all = line["recalls"];
  const auto [least, most] = std::minmax_element(all.begin(), all.end());
  return fmt::format("{} ({} graphs: {:.4f} to {:.4f})", recall, all.size(), *least, *most);
}

std::string build_table(const Json& result) {
  std::string text =
      "| build | threads | inserts/s | CPU | per CPU second | x hnswlib | x fewest threads | "
      "recall at ef 80 "
      "| own bytes/vector | resident bytes/vector |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  std::set<std::string> done;
  for (const Json& first : result["builds"]) {
    const std::string engine = first["engine"];
    const std::string way = first["way"];
    if (!done.insert(engine + " " + way).second) continue;
    for (const Json& line : result["builds"]) {
      if (line["engine"] != engine || line["way"] != way) continue;
      const double rate = line["inserts_per_s"];
      text += fmt::format("| {}, {} | {} | {} | {:.0f} % | {:.0f} | {} | {} | {} | {} | {} |\n",
                          engine_title(engine), way, line["threads"].get<unsigned>(),
                          number(&line, "inserts_per_s"), 100 * line.value("cpu_share", 0.0),
                          rate / (line["threads"].get<double>() * line.value("cpu_share", 1.0)),
                          times(rate, reference_rate(result, line["threads"])),
                          times(rate, first["inserts_per_s"]), recall_cell(line),
                          number(&line, "own_bytes_per_vector"),
                          number(&line, "resident_bytes_per_vector"));
    }
  }
  return text;
}

std::string speed_cells(const Json& result, const std::string& engine) {
  std::string text;
  for (const double recall : kRecalls) {
    const std::optional<Speed> speed = speed_at(result, engine, recall);
    const std::optional<Speed> reference = speed_at(result, kReference, recall);
    if (!speed.has_value()) {
      text += " not reached | |";
      continue;
    }
    text += fmt::format(" {}{} | {} |", tools::grouped(static_cast<std::uint64_t>(speed->qps)),
                        speed->at_smallest_ef ? "*" : "",
                        reference.has_value() ? times(speed->qps, reference->qps) : "");
  }
  return text;
}

std::string speed_table(const Json& result) {
  std::string text = "| engine | insert p50, us | p99, us | p50 x hnswlib | alone, p50, us |";
  for (const double recall : kRecalls) text += fmt::format(" QPS at {:.2f} | x hnswlib |", recall);
  text += "\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  const Json* reference = find_line(result, "inserts", kReference);
  for (const Json& line : result["queries"]) {
    const std::string engine = line["engine"];
    const Json* inserts = find_line(result, "inserts", engine);
    std::string ratio;
    if (inserts != nullptr && reference != nullptr) {
      ratio = times((*inserts)["p50_us"], (*reference)["p50_us"]);
    }
    text += fmt::format("| {} | {} | {} | {} | {} |{}\n", engine_title(engine),
                        number(inserts, "p50_us"), number(inserts, "p99_us"), ratio,
                        number(inserts, "alone_p50_us"), speed_cells(result, engine));
  }
  return text + "\n\\* the smallest ef measured already gives more recall than that.\n";
}

/// Of rows that a query compares, thousands of bytes; empty in results of builds that did not count.
std::string kilobytes(const Json& point) {
  return point.contains("row_bytes")
             ? fmt::format("{:.0f}", point["row_bytes"].get<double>() / 1000)
             : "";
}

std::string points_table(const Json& result) {
  std::string head = "| ef |";
  std::string rule = "|--:|";
  for (const Json& line : result["queries"]) {
    head += fmt::format(" {}: recall | QPS | KB of rows |", engine_title(line["engine"]));
    rule += "--:|--:|--:|";
  }
  std::string text = head + "\n" + rule + "\n";
  const std::size_t rows = result["queries"].empty() ? 0 : result["queries"][0]["points"].size();
  for (std::size_t e = 0; e < rows; ++e) {
    text += fmt::format("| {} |", result["queries"][0]["points"][e]["ef"].get<std::size_t>());
    for (const Json& line : result["queries"]) {
      const Json& point = line["points"][e];
      text += fmt::format(" {:.4f} | {} | {} |", point["recall"].get<double>(),
                          number(&point, "qps"), kilobytes(point));
    }
    text += "\n";
  }
  return text;
}

/// The same graphs asked for other numbers of neighbors.
std::string also_tables(const Json& result) {
  std::string text;
  if (!result.contains("also")) return text;
  for (const Json& deeper : result["also"]) {
    text += fmt::format("\nrecall@{}:\n\n| engine |", deeper["k"].get<unsigned>());
    std::string rule = "|---|";
    for (const double recall : kRecalls) {
      text += fmt::format(" QPS at {:.2f} | x hnswlib |", recall);
      rule += "--:|--:|";
    }
    text += "\n" + rule + "\n";
    for (const Json& line : deeper["queries"]) {
      text += fmt::format("| {} |{}\n", engine_title(line["engine"]),
                          speed_cells(deeper, line["engine"]));
    }
    text += "\n" + points_table(deeper);
  }
  return text;
}

std::string store_table(const Json& result) {
  if (!result.contains("store")) return "";
  const Json& store = result["store"];
  std::string text = fmt::format(
      "\nStore of vicinal's: {}, read once in {:.3f} s when warm.\n\n"
      "| float32 vectors | opened, first query answered, s | x reading | "
      "own bytes/vector | x raw float32 | resident bytes/vector | recall at ef {} | QPS |\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|\n",
      tools::human_bytes(store["file_bytes"].get<std::uint64_t>()),
      store["read_seconds"].get<double>(), kQualityEf);
  const double raw = 4 * result["dimension"].get<double>();
  for (const auto& [key, title] :
       {std::pair("vectors_in_memory", "in memory"), std::pair("vectors_in_map", "in the map")}) {
    const Json& line = store[key];
    const double opened = opened_seconds(line);
    text += fmt::format("| {} | {:.3f} | {} | {} | {} | {} | {} | {} |\n", title, opened,
                        times(opened, store["read_seconds"]), number(&line, "own_bytes_per_vector"),
                        times(line["own_bytes_per_vector"], raw),
                        number(&line, "resident_bytes_per_vector"), number(&line, "recall", 4),
                        number(&line, "qps"));
  }
  return text;
}

std::string durable_line(const Json& result) {
  if (!result.contains("durable")) return "";
  const Json& durable = result["durable"];
  return fmt::format(
      "\nDurable (fsync before the answer): a batch of {} in {:.1f} ms, the same in memory {:.1f} "
      "ms, a commit of next to nothing {:.1f} ms; single upserts {} a second from one thread, {} "
      "from {} threads.\n",
      durable["batch_rows"].get<unsigned>(), durable["durable_batch_us"].get<double>() / 1000,
      durable["memory_batch_us"].get<double>() / 1000, durable["commit_us"].get<double>() / 1000,
      number(&durable, "singles_per_s_one_thread"), number(&durable, "singles_per_s_writers"),
      durable["writers"].get<unsigned>());
}

std::string copies_table(const Json& result) {
  if (!result.contains("copies")) return "";
  const Json& copies = result["copies"];
  std::string text = fmt::format(
      "\n| {} values x {}, inserted singly in turn | values found by themselves at ef {} | "
      "inserts/s | of other rows |\n|---|--:|--:|--:|\n",
      number(&copies, "values"), number(&copies, "copies"), number(&copies, "ef"));
  for (const Json& line : copies["lines"]) {
    text += fmt::format("| {} | {} | {} | {} |\n", engine_title(line["engine"]),
                        number(&line, "recall", 4), number(&line, "inserts_per_s"),
                        number(&line, "distinct_inserts_per_s"));
  }
  return text;
}

}  // namespace

std::string engine_title(const std::string& engine) {
  if (engine == "vicinal") return "vicinal int8";
  if (engine == "vicinal-f32") return "vicinal float32";
  if (engine == "hnswlib") return "hnswlib 0.6.2";
  if (engine == "faiss") return "faiss 1.7.3 (no AVX2 build)";
  return engine;
}

const Json* find_line(const Json& result, const char* list, const std::string& engine,
                      const std::string& way, unsigned threads) {
  for (const Json& line : result[list]) {
    if (line["engine"] != engine) continue;
    if (!way.empty() && line["way"] != way) continue;
    if (threads != 0 && line["threads"] != threads) continue;
    return &line;
  }
  return nullptr;
}

double opened_seconds(const Json& line) {
  return line.value("loaded_seconds", line["open_seconds"].get<double>());
}

std::optional<Speed> speed_at(const Json& result, const std::string& engine, double recall) {
  const Json* points = points_of(result, engine);
  if (points == nullptr || points->empty()) return std::nullopt;
  const Json& first = (*points)[0];
  if (first["recall"].get<double>() >= recall) {
    return Speed{first["qps"], first["recall"].get<double>() > recall};
  }
  for (std::size_t i = 1; i < points->size(); ++i) {
    const double below = (*points)[i - 1]["recall"];
    const double above = (*points)[i]["recall"];
    if (above < recall) continue;
    const double part = above > below ? (recall - below) / (above - below) : 1;
    const double from = std::log((*points)[i - 1]["qps"].get<double>());
    const double to = std::log((*points)[i]["qps"].get<double>());
    return Speed{std::exp(from + part * (to - from)), false};
  }
  return std::nullopt;
}

std::string dataset_tables(const Json& result) {
  std::string text = fmt::format(
      "### {}: {} x {}, {} queries, recall@{}\n\nM {}, ef_construction {}, one query thread, "
      "best of {} turns, kernels {}. Huge pages of the peers: {}. The last {} rows are inserted "
      "singly: half by the engines in turns, half by each alone.\n\n",
      result["dataset"].get<std::string>(), tools::grouped(result["rows"].get<std::uint64_t>()),
      result["dimension"].get<unsigned>(), result["queries_count"].get<unsigned>(),
      result["k"].get<unsigned>(), result["M"].get<unsigned>(),
      result["ef_construction"].get<unsigned>(), result["repetitions"].get<int>(),
      result.value("target", "unknown"), result.value("peers_huge_pages", "unknown"),
      result["held_out"].get<unsigned>());
  if (result.contains("measured")) {
    text += fmt::format("Measured: {}\n\n", result["measured"].get<std::string>());
  }
  text += build_table(result) +
          "\nCPU: the share of its threads' time that a build ran; below 90 % the machine was "
          "busy with other work.\n\n" +
          speed_table(result) +
          "\nKB of rows: vectors and codes that a query compares, counted.\n\n" +
          points_table(result) + also_tables(result);
  return text + copies_table(result) + store_table(result) + durable_line(result);
}

}  // namespace vicinal::bench
