#include "bench/decision/report.h"

#include <fmt/core.h>

#include <cmath>

#include "bench/common/machine.h"
#include "tools/format.h"

namespace vicinal::bench {
namespace {

std::string introduction(const Json& record) {
  return fmt::format(
      "# The decision record's tables, measured\n\n"
      "Written by `bench/decision_record` from its JSON; every number of this machine stands "
      "there. "
      "Numbers are one machine's, ratios travel better.\n\n{}\n"
      "{} dimensions, {}, M {}, ef_construction {}, ef_search {}, k {}, int8 codes, {} threads for "
      "batches and rebuilds, one for single upserts and searches. Uniform: every component uniform "
      "in [-1, 1), as the record's vectors were. Clustered: around 1,000 such centers with a "
      "standard deviation of 0.3. Both come from seed {}.\n\n"
      "\"Record\" columns are quoted from the decision record: **another machine** ({}), another "
      "engine. Its figures in parentheses are its estimates.\n\n",
      machine_table(record["machine"], record["commit"], record["command"]),
      record["dimension"].get<unsigned>(), record["metric"].get<std::string>(),
      record["M"].get<unsigned>(), record["ef_construction"].get<unsigned>(),
      record["ef_search"].get<unsigned>(), record["k"].get<unsigned>(),
      record["threads"].get<unsigned>(), record["seed"].get<std::uint64_t>(),
      record["record"]["machine"].get<std::string>());
}

std::string missing(const Json& record) {
  std::string text;
  if (!record["complete"].get<bool>()) {
    text +=
        "**This run has not ended, or was stopped: cells that say \"not measured\" were not "
        "reached.**\n\n";
  }
  for (const Json& skip : record["skipped"]) {
    text += fmt::format(
        "- {}, {} at {}: left out, expected to take {:.0f} s with {:.0f} s left of the budget of "
        "{:.0f} s.\n",
        skip["shape"].get<std::string>(), skip["part"].get<std::string>(),
        tools::grouped(skip["size"].get<std::uint64_t>()), skip["expected_s"].get<double>(),
        skip["left_s"].get<double>(), record["budget_s"].get<double>());
  }
  return record["skipped"].empty() ? text : text + "\n";
}

/// What the idle columns of a record are; nothing to say where they are as warm as the others.
std::string idle_note(const Json& record) {
  if (record.value("idle_warm", false)) return "";
  return fmt::format(
      "**The idle columns of this record are of one cold pass of {} searches**, each query for the "
      "first time; the others are of the same queries again and again. They are no base for the "
      "others: an idle search as warm as those may take less. Records made since warm up "
      "alike.\n\n",
      record["queries"].get<unsigned>());
}

using Table = std::string (*)(const Json&, const std::string&);

std::string for_each_shape(const Json& record, Table table) {
  std::string text;
  for (const Json& shape : record["shapes"]) {
    const std::string name = shape;
    text += fmt::format("{} vectors:\n\n{}\n", name == "uniform" ? "Uniform" : "Clustered",
                        table(record, name));
  }
  return text;
}

}  // namespace

std::optional<double> value_at(const Json& record, const std::string& shape, std::uint64_t size,
                               std::initializer_list<const char*> path) {
  for (const Json& run : record["runs"]) {
    if (run["shape"] != shape || run["size"] != size) continue;
    const Json* at = &run;
    for (const char* name : path) {
      if (!at->contains(name)) return std::nullopt;
      at = &(*at)[name];
    }
    return at->get<double>();
  }
  return std::nullopt;
}

std::string shown(std::optional<double> value, double factor) {
  if (!value) return "not measured";
  const double scaled = *value * factor;
  if (std::fabs(scaled) >= 1000) return tools::grouped(static_cast<std::uint64_t>(scaled + 0.5));
  const int whole =
      scaled == 0 ? 1 : static_cast<int>(std::floor(std::log10(std::fabs(scaled)))) + 1;
  return fmt::format("{:.{}f}", scaled, std::max(0, std::min(6, 3 - whole)));
}

std::string decision_document(const Json& record) {
  const std::uint64_t batch = record["batch"];
  return introduction(record) + missing(record) +
         fmt::format(
             "## 1. Rebuild on upsert\n\nA batch of {} new vectors under `rebuild_on_upsert` in an "
             "LMDB store, durable (fsync): rows written, then the whole graph built anew. Memory: "
             "the "
             "most that the process held beyond what it held before the batch; the index's own "
             "bytes; the store's file.\n\n",
             batch) +
         for_each_shape(record, rebuild_table) +
         fmt::format(
             "## 2. Incremental\n\nThe same batch of {} (median of {}) and {} single upserts. "
             "Durable: "
             "each call returns after fsync. Times in milliseconds; ratio: seconds of the batch of "
             "table 1 by seconds of this batch.\n\n",
             batch, record["batches"].get<unsigned>(), record["singles"].get<unsigned>()) +
         for_each_shape(record, incremental_table) +
         "## 3. The crossover\n\nSeconds of the batch by a rebuild, by seconds of the same batch "
         "incrementally: above 1 incremental wins. Fresh indexes in memory for every cell, the "
         "same "
         "commit would be added to both sides by a store. Last column: the smallest size measured "
         "from "
         "which on incremental wins at every size measured.\n\n" +
         for_each_shape(record, crossover_table) +
         "## 4. The record's triggers\n\nThe record says when its decision is to be taken again. "
         "What each trigger meets here:\n\n" +
         for_each_shape(record, trigger_table) +
         fmt::format(
             "## 5. Quality and latency\n\nRecall@{} at ef_search {} of both paths, {} queries "
             "against "
             "exact search; latency of one search in microseconds: idle, while the index is "
             "rebuilt by "
             "all threads, and while another thread inserts singly (durable: waits for the disk; "
             "in "
             "memory: computes all the time).\n\n",
             record["k"].get<unsigned>(), record["ef_search"].get<unsigned>(),
             record["queries"].get<unsigned>()) +
         idle_note(record) + for_each_shape(record, quality_table);
}

}  // namespace vicinal::bench
