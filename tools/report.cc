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

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(Json(text).dump());
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

/// Every string in `json` that is not UTF-8, with its bytes beyond ASCII as \\xNN.
Json with_bytes_escaped(const Json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (is_utf8(text)) return json;
    std::string escaped;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      escaped += byte < 0x80 ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
    }
    return escaped;
  }
  if (!json.is_structured()) return json;
  Json copy = json;
  for (auto& [key, value] : copy.items()) value = with_bytes_escaped(value);
  return copy;
}

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

std::string json_text(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::type_error&) {  // not UTF-8
    return with_bytes_escaped(json).dump();
  }
}

Json to_json(const IndexOptions& options) {
  return {{"dimension", options.dimension},
          {"metric", metric_name(options.metric)},
          {"M", options.M},
          {"ef_construction", options.ef_construction},
          {"ef_search", options.ef_search},
          {"quantization", quantization_name(options.quantization)},
          {"storage", storage_name(options.storage)},
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
          {"flat", stats.flat},
          {"sketches", stats.sketches},
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

Json to_json(const StoredStats& stats) {
  return {{"name", stats.name},
          {"options", to_json(stats.options)},
          {"live", stats.live},
          {"tombstones", stats.tombstones},
          {"free_slots", stats.free_slots},
          {"levels", stats.nodes_by_level.size()},
          {"nodes_by_level", stats.nodes_by_level},
          {"checkpoints", stats.checkpoints},
          {"journal_entries", stats.journal_entries},
          {"journal_bytes", stats.journal_bytes},
          {"rows_to_link", stats.rows_to_link},
          {"bytes_vectors", stats.bytes_vectors},
          {"bytes_links", stats.bytes_links},
          {"bytes_nodes", stats.bytes_nodes},
          {"bytes_on_disk", stats.bytes_disk}};
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
          {"tree_errors", report.tree_errors},
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

namespace {

/// What both kinds of stats begin with.
template <typename AnyStats>
void describe_index(const AnyStats& stats, std::string codes, Table& table) {
  const IndexOptions& o = stats.options;
  table.count("live", stats.live);
  table.count("tombstones", stats.tombstones);
  table.trouble("free slots", stats.free_slots);
  table.line("dimension", fmt::format("{}, {}", o.dimension, metric_name(o.metric)));
  table.line("graph", fmt::format("M {}, ef_construction {}, ef_search {}, seed {}", o.M,
                                  o.ef_construction, o.ef_search, o.seed));
  table.line("codes", std::move(codes));
  table.line("storage", storage_name(o.storage));
  table.line("nodes by level", fmt::format("{}", fmt::join(stats.nodes_by_level, " ")));
}

}  // namespace

std::string describe(const Stats& stats) {
  Table table;
  describe_index(
      stats,
      fmt::format("{}, kernels {}", quantization_name(stats.options.quantization), stats.target),
      table);
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

std::string describe(const StoredStats& stats) {
  Table table;
  describe_index(stats, quantization_name(stats.options.quantization), table);
  table.line("on disk",
             fmt::format("vectors {}, links {}, nodes {}; the file {} (all indexes)",
                         human_bytes(stats.bytes_vectors), human_bytes(stats.bytes_links),
                         human_bytes(stats.bytes_nodes), human_bytes(stats.bytes_disk)));
  table.line("journal", fmt::format("{} entries, {}, {} rows that every opening links",
                                    grouped(stats.journal_entries),
                                    human_bytes(stats.journal_bytes), grouped(stats.rows_to_link)));
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
  table.trouble("tree", report.tree_errors);
  table.trouble("labels", report.label_errors);
  table.trouble("records", report.record_errors);
  for (const std::string& message : report.messages) table.line("problem", message);
  return table.take();
}

}  // namespace vicinal::tools
