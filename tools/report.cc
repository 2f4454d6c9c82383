#include "tools/report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "tools/format.h"
#include "tools/names.h"

namespace vicinal::tools {
namespace {

class Table {
 public:
  void line(const char* name, const std::string& value) {
    text_ += fmt::format("  {:<16}{}\n", name, value);
  }
  void count(const char* name, std::uint64_t value) { line(name, grouped(value)); }
  /// A line only when there is something to tell.
  void trouble(const char* name, std::uint64_t value) {
    if (value != 0) count(name, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

double mean_degree(const std::vector<std::uint64_t>& histogram) {
  double nodes = 0;
  double links = 0;
  for (std::size_t degree = 0; degree < histogram.size(); ++degree) {
    nodes += static_cast<double>(histogram[degree]);
    links += static_cast<double>(degree) * static_cast<double>(histogram[degree]);
  }
  return nodes > 0 ? links / nodes : 0;
}

}  // namespace

Json to_json(const IndexOptions& options) {
  return {{"dimension", options.dimension},
          {"metric", metric_name(options.metric)},
          {"M", options.M},
          {"ef_construction", options.ef_construction},
          {"ef_search", options.ef_search},
          {"quantization", quantization_name(options.quantization)},
          {"seed", options.seed}};
}

Json to_json(const Stats& stats) {
  Json memory = {{"vectors", stats.bytes_vectors},  {"codes", stats.bytes_codes},
                 {"links", stats.bytes_links},      {"nodes", stats.bytes_nodes},
                 {"labels", stats.bytes_labels},    {"scratch", stats.bytes_scratch},
                 {"total", stats.bytes_in_memory()}};
  return {{"name", stats.name},
          {"options", to_json(stats.options)},
          {"target", stats.target},
          {"live", stats.live},
          {"tombstones", stats.tombstones},
          {"free_slots", stats.free_slots},
          {"levels", stats.levels},
          {"nodes_by_level", stats.nodes_by_level},
          {"links_by_level", stats.links_by_level},
          {"bytes_in_memory", std::move(memory)},
          {"bytes_on_disk", stats.bytes_disk},
          {"journal_entries", stats.journal_entries},
          {"journal_bytes", stats.journal_bytes},
          {"checkpoint_age_s", stats.checkpoint_age_s},
          {"salvaged", stats.salvaged},
          {"wider_walks", stats.wider_walks},
          {"fallback_scans", stats.fallback_scans},
          {"repaired_links", stats.repaired_links},
          {"open_seconds", stats.open_seconds},
          {"background_failures", stats.background_failures},
          {"background_error", stats.background_error},
          {"background_error_age_s", stats.background_error_age_s}};
}

Json to_json(const ValidateReport& report) {
  return {{"sound", report.sound()},
          {"problems", report.problems},
          {"live", report.live},
          {"tombstones", report.tombstones},
          {"unreachable", report.unreachable},
          {"dead_links", report.dead_links},
          {"invalid_links", report.invalid_links},
          {"duplicate_links", report.duplicate_links},
          {"overfull_lists", report.overfull_lists},
          {"asymmetric_links", report.asymmetric_links},
          {"entry_point_errors", report.entry_point_errors},
          {"label_errors", report.label_errors},
          {"record_errors", report.record_errors},
          {"degree_histogram", report.degree_histogram},
          {"nodes_by_level", report.nodes_by_level},
          {"messages", report.messages}};
}

Json to_json(const RepairResult& result) {
  return {{"nodes_examined", result.nodes_examined},
          {"nodes_relinked", result.nodes_relinked},
          {"slots_freed", result.slots_freed},
          {"unreachable_mended", result.unreachable_mended},
          {"finished", result.finished}};
}

Json to_json(const Index::NodeView& node) {
  return {{"label", node.label}, {"node", node.node},   {"level", node.level},
          {"live", node.live},   {"links", node.links}, {"link_nodes", node.link_nodes}};
}

std::string describe(const Stats& stats) {
  const IndexOptions& o = stats.options;
  Table table;
  table.count("live", stats.live);
  table.count("tombstones", stats.tombstones);
  table.trouble("free slots", stats.free_slots);
  table.line("dimension", fmt::format("{}, {}", o.dimension, metric_name(o.metric)));
  table.line("graph", fmt::format("M {}, ef_construction {}, ef_search {}, seed {}", o.M,
                                  o.ef_construction, o.ef_search, o.seed));
  table.line("codes",
             fmt::format("{}, kernels {}", quantization_name(o.quantization), stats.target));
  table.line("nodes by level", fmt::format("{}", fmt::join(stats.nodes_by_level, " ")));
  table.line("links by level", fmt::format("{}", fmt::join(stats.links_by_level, " ")));
  table.line("memory",
             fmt::format("{} (vectors {}, codes {}, links {}, nodes {}, labels {}, scratch {})",
                         human_bytes(stats.bytes_in_memory()), human_bytes(stats.bytes_vectors),
                         human_bytes(stats.bytes_codes), human_bytes(stats.bytes_links),
                         human_bytes(stats.bytes_nodes), human_bytes(stats.bytes_labels),
                         human_bytes(stats.bytes_scratch)));
  if (stats.bytes_disk > 0) {
    table.line("on disk", human_bytes(stats.bytes_disk) + " (all indexes)");
    table.line("journal", fmt::format("{} entries, {}", grouped(stats.journal_entries),
                                      human_bytes(stats.journal_bytes)));
  }
  table.trouble("salvaged", stats.salvaged);
  table.trouble("repaired links", stats.repaired_links);
  table.line("opened in", human_seconds(stats.open_seconds));
  if (!stats.background_error.empty()) {
    table.line("background error",
               fmt::format("{} ({:.0f} s ago, {} in a row)", stats.background_error,
                           stats.background_error_age_s, stats.background_failures));
  }
  return table.take();
}

std::string describe(const ValidateReport& report) {
  Table table;
  table.count("live", report.live);
  table.count("tombstones", report.tombstones);
  table.line("nodes by level", fmt::format("{}", fmt::join(report.nodes_by_level, " ")));
  table.line("mean degree", fmt::format("{:.2f} on level 0", mean_degree(report.degree_histogram)));
  table.count("dead links", report.dead_links);
  table.count("one-way links", report.asymmetric_links);
  table.trouble("unreachable", report.unreachable);
  table.trouble("invalid links", report.invalid_links);
  table.trouble("duplicate links", report.duplicate_links);
  table.trouble("overfull lists", report.overfull_lists);
  table.trouble("entry point", report.entry_point_errors);
  table.trouble("labels", report.label_errors);
  table.trouble("records", report.record_errors);
  for (const std::string& message : report.messages) table.line("problem", message);
  return table.take();
}

}  // namespace vicinal::tools
