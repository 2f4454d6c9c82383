// vicinal search: the nearest of the rows of a file, or of a stored label; with --truth their
// recall.
#include <fmt/core.h>

#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/interrupt.h"
#include "tools/matrix/matrix.h"
#include "tools/names.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/row_refusal.h"

namespace vicinal::tools {
namespace {

constexpr std::size_t kQueriesPerBatch = 256;

struct SearchArguments {
  StoreArguments at;
  std::string query;
  matrix::Wanted wanted;
  std::optional<Label> label;
  std::string truth;
  std::optional<std::size_t> k;
  std::size_t ef = 0;
  std::optional<float> radius;
  unsigned threads = 0;
  bool exact = false;
  bool json = false;
};

struct SearchTotals {
  std::uint64_t queries = 0;
  std::uint64_t distances = 0;
  double recall = 0;  ///< sum over the queries
  double seconds = 0;
};

std::size_t neighbors(const SearchArguments& arguments) {
  return arguments.k.value_or(SearchOptions().k);
}

SearchOptions search_options(const SearchArguments& arguments) {
  SearchOptions options;
  options.k = neighbors(arguments);
  options.ef_search = arguments.ef;
  options.exact = arguments.exact;
  return options;
}

RadiusOptions radius_options(const SearchArguments& arguments) {
  RadiusOptions options;
  options.max_hits = arguments.k.value_or(0);
  options.ef_search = arguments.ef;
  options.exact = arguments.exact;
  return options;
}

Json radius_json(const RadiusResult& result) {
  Json hits = Json::array();
  for (const Hit& hit : result) {
    hits.push_back({{"label", hit.label}, {"distance", hit.distance}});
  }
  return {{"hits", std::move(hits)},
          {"distances", result.counters.distances},
          {"nodes_visited", result.counters.nodes_visited},
          {"path", path_name(result.counters.path)}};
}

void print_hits(const SearchArguments& arguments, const char* key, std::uint64_t query,
                const RadiusResult& result) {
  if (arguments.json) {
    Json line = {{key, query}};
    line.update(radius_json(result));
    if (arguments.radius.has_value()) line["cut"] = result.cut;
    fmt::print("{}\n", json_text(line));
    return;
  }
  fmt::print("{} {}: {} found{}\n", key, query, result.size(),
             result.cut ? ", and there are more" : "");
  for (std::size_t i = 0; i < result.size(); ++i) {
    fmt::print("{:>4}  label {:<12} distance {:.6g}\n", i + 1, result[i].label, result[i].distance);
  }
}

Result<std::vector<RadiusResult>> answer(const SearchArguments& arguments, const Index& index,
                                         std::span<const float> queries) {
  std::vector<RadiusResult> results;
  if (!arguments.radius.has_value()) {
    Result<std::vector<SearchResult>> nearest =
        index.search_batch(queries, search_options(arguments), arguments.threads);
    if (!nearest.ok()) return nearest.status();
    for (SearchResult& result : *nearest) results.push_back({std::move(result)});
    return results;
  }
  for (std::size_t at = 0; at < queries.size(); at += index.dimension()) {
    Result<RadiusResult> result = index.search_radius(queries.subspan(at, index.dimension()),
                                                      *arguments.radius, radius_options(arguments));
    if (!result.ok()) return result.status();
    results.push_back(std::move(*result));
  }
  return results;
}

double recall_of(const matrix::Truth& truth, std::uint64_t query, const SearchResult& result,
                 std::size_t k) {
  std::vector<Label> found;
  for (const Hit& hit : result) found.push_back(hit.label);
  return matrix::overlap(truth.row(query), found, k);
}

Status answer_file(const SearchArguments& arguments, const Index& index, matrix::Reader& reader,
                   const matrix::Truth* truth, SearchTotals& totals) {
  ProgressBar bar("searching", reader.rows(), "queries");
  matrix::Batch batch;
  for (;;) {
    if (interrupted()) return Status::cancelled("interrupted");
    if (Status s = reader.read(kQueriesPerBatch, batch); !s.ok()) return s;
    if (batch.rows == 0) return {};
    const auto start = std::chrono::steady_clock::now();
    Result<std::vector<RadiusResult>> results = answer(arguments, index, batch.values);
    totals.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!results.ok()) {
      if (Status row = refused_query(index, reader, batch); !row.ok()) return row;
      return {results.status().code(),
              fmt::format("{}: queries from {}: {}", reader.path(), reader.locate(batch.first_row),
                          results.status().message())};
    }
    for (std::size_t r = 0; r < results->size(); ++r) {
      const RadiusResult& result = (*results)[r];
      totals.distances += result.counters.distances;
      if (truth != nullptr) {
        totals.recall += recall_of(*truth, batch.first_row + r, result, neighbors(arguments));
      } else {
        print_hits(arguments, "query", batch.first_row + r, result);
      }
    }
    totals.queries += batch.rows;
    bar.update(totals.queries);
  }
}

void print_recall(const SearchArguments& arguments, const Index& index,
                  const SearchTotals& totals) {
  const double n = static_cast<double>(totals.queries);
  const std::size_t ef = arguments.ef != 0 ? arguments.ef : index.options().ef_search;
  if (arguments.json) {
    Json json = {{"k", neighbors(arguments)},
                 {"ef", ef},
                 {"exact", arguments.exact},
                 {"queries", totals.queries},
                 {"recall", totals.recall / n},
                 {"distances_per_query", static_cast<double>(totals.distances) / n},
                 {"seconds", totals.seconds}};
    fmt::print("{}\n", json_text(json));
    return;
  }
  fmt::print("recall@{} {:.4f}  ({} queries, {}, {:.1f} distances per query, {})\n",
             neighbors(arguments), totals.recall / n, grouped(totals.queries),
             arguments.exact ? std::string("exact") : fmt::format("ef {}", ef),
             static_cast<double>(totals.distances) / n, human_seconds(totals.seconds));
}

Status check_truth(const SearchArguments& arguments, const matrix::Reader& reader,
                   const matrix::Truth& truth) {
  if (truth.rows != reader.rows()) {
    return Status::invalid_argument(fmt::format("{}: {} rows, {} has {} queries", arguments.truth,
                                                truth.rows, arguments.query, reader.rows()));
  }
  if (neighbors(arguments) == 0 || neighbors(arguments) > truth.columns) {
    return Status::invalid_argument(fmt::format(
        "k is {}, {} has neighbors 1 to {}", neighbors(arguments), arguments.truth, truth.columns));
  }
  return {};
}

int run_file(const SearchArguments& arguments, const Index& index, matrix::Reader& reader,
             const matrix::Truth* truth) {
  if (reader.dimension() != index.dimension()) {
    return print_error(Status::invalid_argument(fmt::format(
        "{}: dimension {}, index has {}", arguments.query, reader.dimension(), index.dimension())));
  }
  SearchTotals totals;
  const Status answered = answer_file(arguments, index, reader, truth, totals);
  if (!answered.ok()) return print_error(answered);
  if (truth != nullptr && totals.queries > 0) print_recall(arguments, index, totals);
  return kExitOk;
}

int run_label(const SearchArguments& arguments, const Index& index) {
  Result<std::vector<float>> vector = index.get(*arguments.label);
  if (!vector.ok()) return print_error(vector.status());
  Result<std::vector<RadiusResult>> results = answer(arguments, index, *vector);
  if (!results.ok()) return print_error(results.status());
  print_hits(arguments, "label", *arguments.label, results->front());
  return kExitOk;
}

int run_search(const SearchArguments& arguments) {
  std::unique_ptr<matrix::Reader> reader;
  std::optional<matrix::Truth> truth;
  if (!arguments.query.empty()) {
    Result<std::unique_ptr<matrix::Reader>> file = open_rows(arguments.query, arguments.wanted);
    if (!file.ok()) return print_error(file.status());
    reader = std::move(*file);
  } else if (!arguments.label.has_value()) {
    return print_error(Status::invalid_argument("say --query FILE or --label N"));
  }
  if (!arguments.truth.empty()) {
    Result<matrix::Truth> loaded = matrix::load_truth(arguments.truth);
    if (!loaded.ok()) return print_error(loaded.status());
    truth = std::move(*loaded);
    if (Status s = check_truth(arguments, *reader, *truth); !s.ok()) return print_error(s);
  }
  OpenMode mode;
  mode.threads = arguments.threads;
  Result<Opened> opened = open_index(arguments.at, mode);
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  if (reader == nullptr) return run_label(arguments, opened->index);
  return run_file(arguments, opened->index, *reader, truth.has_value() ? &*truth : nullptr);
}

}  // namespace

void add_search(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "search", "Find the nearest vectors", run_search, exit_code);
  command->footer(
      std::string("With --truth the rows of the truth are the labels (as an import that "
                  "counts from 0 gives them) and only recall is printed.\n") +
      kExitCodesHelp);
  CLI::Option* query = add_text(
      *command, "--query", arguments->query,
      std::string("Queries, a row each: ") + matrix::kFormatNames + "; - is standard input");
  arguments->wanted.usual_array = "test";
  add_format(*command, arguments->wanted.format)->needs(query);
  add_array(*command, arguments->wanted.array, "test")->needs(query);
  add_whole(*command, "--label", arguments->label, {},
            "Query with the vector stored under this label")
      ->excludes(query);
  CLI::Option* truth =
      add_text(*command, "--truth", arguments->truth,
               "Exact neighbors (.ivecs, or \"neighbors\" of .hdf5): prints recall@k");
  truth->needs(query);
  add_whole(*command, "-k", arguments->k, kRows,
            "Most hits per query (default: 10; with --radius all)");
  add_whole(*command, "--ef", arguments->ef, kEf, "Candidates kept (default: the index's)");
  constexpr double kMostFloat = std::numeric_limits<float>::max();
  add_real(*command, "--radius", arguments->radius, {-kMostFloat, kMostFloat},
           "Only hits within this distance")
      ->excludes(truth);
  command->add_flag("--exact", arguments->exact, "Compare with every vector");
  add_whole(*command, "--threads", arguments->threads, kThreads, "Threads (default: one per CPU)");
  command->add_flag("--json", arguments->json, "A JSON object per query (or for the recall)");
}

}  // namespace vicinal::tools
