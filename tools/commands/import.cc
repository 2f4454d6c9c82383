// vicinal import: rows of a vector file into an index, in batches that are stored whole or not at
// all.
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/interrupt.h"
#include "tools/matrix/labels.h"
#include "tools/matrix/matrix.h"
#include "tools/names.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct Arguments {
  StoreArguments at;
  std::string file;
  std::string labels_file;
  std::optional<Label> first_label;
  std::optional<Metric> metric;
  std::optional<std::uint32_t> M;
  std::optional<std::uint32_t> ef_construction;
  std::optional<Quantization> quantization;
  std::optional<std::uint64_t> seed;
  unsigned threads = 0;
  std::size_t batch = 10000;
  Durability durability = Durability::kFull;
  bool json = false;
};

struct Totals {
  std::uint64_t imported = 0;
  std::uint64_t durable = 0;
  BatchResult by_label;
  double seconds = 0;
};

void add_to(BatchResult& sum, const BatchResult& part) {
  sum.inserted += part.inserted;
  sum.updated += part.updated;
  sum.resurrected += part.resurrected;
  sum.unchanged += part.unchanged;
  sum.repeated += part.repeated;
}

template <typename T>
Status check_same(const char* option, const std::optional<T>& given, const T& stored) {
  if (!given.has_value() || *given == stored) return {};
  return Status::invalid_argument(
      fmt::format("{} is {}, the index was made with {}", option, *given, stored));
}

/// Options on the command line must agree with an index that exists already.
Status check_options(const Arguments& arguments, std::uint32_t dimension,
                     const IndexOptions& stored) {
  if (dimension != stored.dimension) {
    return Status::invalid_argument(
        fmt::format("{}: dimension {}, index has {}", arguments.file, dimension, stored.dimension));
  }
  if (arguments.metric.has_value() && *arguments.metric != stored.metric) {
    return Status::invalid_argument(fmt::format("--metric is {}, the index was made with {}",
                                                metric_name(*arguments.metric),
                                                metric_name(stored.metric)));
  }
  if (arguments.quantization.has_value() && *arguments.quantization != stored.quantization) {
    return Status::invalid_argument(fmt::format("--quantization is {}, the index was made with {}",
                                                quantization_name(*arguments.quantization),
                                                quantization_name(stored.quantization)));
  }
  if (Status s = check_same("--M", arguments.M, stored.M); !s.ok()) return s;
  if (Status s = check_same("--ef-construction", arguments.ef_construction, stored.ef_construction);
      !s.ok()) {
    return s;
  }
  return check_same("--seed", arguments.seed, stored.seed);
}

Result<Index> open_or_create(Store& store, const std::string& name, const Arguments& arguments,
                             const matrix::Reader& reader) {
  Result<std::vector<std::string>> names = store.index_names();
  if (!names.ok()) return names.status();
  OpenMode mode;
  mode.threads = arguments.threads;
  for (const std::string& existing : *names) {
    if (existing == name) return open_index(store, name, mode);
  }
  IndexOptions options;
  options.dimension = reader.dimension();
  options.metric = arguments.metric.value_or(options.metric);
  options.M = arguments.M.value_or(options.M);
  options.ef_construction = arguments.ef_construction.value_or(options.ef_construction);
  options.quantization = arguments.quantization.value_or(options.quantization);
  options.seed = arguments.seed.value_or(options.seed);
  options.threads = arguments.threads;
  options.reserve = reader.rows();
  return store.index(name, options);
}

/// What the engine would refuse in `row`, in words; empty when nothing.
std::string trouble_in(std::span<const float> row, Metric metric) {
  bool zero = true;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!std::isfinite(row[i])) return fmt::format("component {} is {}", i, row[i]);
    zero = zero && row[i] == 0.0f;
  }
  return zero && metric == Metric::kCosine ? "a zero vector has no direction (cosine)" : "";
}

/// The engine's refusal of a batch, with the place in the file.
Status locate_refusal(const Status& refusal, const matrix::Reader& reader,
                      const matrix::Batch& batch, Metric metric) {
  const std::string nothing = fmt::format("nothing of rows {} to {} was imported", batch.first_row,
                                          batch.first_row + batch.rows - 1);
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const std::span<const float> row(batch.values.data() + r * reader.dimension(),
                                     reader.dimension());
    const std::string trouble = trouble_in(row, metric);
    if (trouble.empty()) continue;
    return {refusal.code(), fmt::format("{}: {}: {}; {}", reader.path(),
                                        reader.locate(batch.first_row + r), trouble, nothing)};
  }
  return {refusal.code(), fmt::format("{}: batch from {}: {}; {}", reader.path(),
                                      reader.locate(batch.first_row), refusal.message(), nothing)};
}

Status import_batches(const Arguments& arguments, matrix::Reader& reader,
                      matrix::LabelSource* labels, Index& index, Totals& totals) {
  ProgressBar bar("importing", reader.rows(), "rows");
  const Metric metric = index.options().metric;
  matrix::Batch batch;
  for (;;) {
    if (interrupted()) return Status::cancelled("interrupted");
    if (Status s = reader.read(arguments.batch, batch); !s.ok()) return s;
    if (batch.rows == 0) return {};
    if (labels != nullptr) {
      batch.labels.resize(batch.rows);
      if (Status s = labels->next(batch.labels); !s.ok()) return s;
    }
    BatchOptions options;
    options.threads = arguments.threads;
    options.progress = bar.callback_from(batch.first_row);
    Result<BatchResult> done = index.upsert_batch(batch.labels, batch.values, options);
    if (done.status().code() == StatusCode::kCancelled) totals.imported += batch.rows;
    if (!done.ok()) {
      if (done.status().code() != StatusCode::kInvalidArgument) return done.status();
      return locate_refusal(done.status(), reader, batch, metric);
    }
    totals.imported += batch.rows;
    add_to(totals.by_label, *done);
    bar.update(batch.first_row + batch.rows);
  }
}

void print_totals(const Arguments& arguments, const std::string& name, const Totals& totals) {
  const BatchResult& b = totals.by_label;
  const double rate =
      totals.seconds > 0 ? static_cast<double>(totals.imported) / totals.seconds : 0;
  if (arguments.json) {
    const Json json = {{"file", arguments.file},       {"index", name},
                       {"imported", totals.imported},  {"durable", totals.durable},
                       {"inserted", b.inserted},       {"updated", b.updated},
                       {"resurrected", b.resurrected}, {"unchanged", b.unchanged},
                       {"repeated", b.repeated},       {"seconds", totals.seconds},
                       {"rows_per_second", rate}};
    fmt::print("{}\n", json.dump());
    return;
  }
  fmt::print(
      "imported {} rows into {} (index {}): {} inserted, {} updated, {} resurrected, {} "
      "unchanged, {} repeated; {} durable; {}, {} rows/s\n",
      grouped(totals.imported), arguments.at.store, name, grouped(b.inserted), grouped(b.updated),
      grouped(b.resurrected), grouped(b.unchanged), grouped(b.repeated), grouped(totals.durable),
      human_seconds(totals.seconds), grouped(static_cast<std::uint64_t>(rate)));
}

Result<std::optional<matrix::LabelSource>> open_labels(const Arguments& arguments,
                                                       const matrix::Reader& reader) {
  using Optional = std::optional<matrix::LabelSource>;
  if (reader.has_labels()) {
    if (arguments.labels_file.empty() && !arguments.first_label.has_value()) return Optional();
    return Status::invalid_argument(fmt::format(
        "{}: its rows carry labels; leave --labels and --first-label away", arguments.file));
  }
  if (arguments.labels_file.empty()) {
    return Optional(matrix::LabelSource::counted(arguments.first_label.value_or(0)));
  }
  Result<matrix::LabelSource> source = matrix::LabelSource::from_file(arguments.labels_file);
  if (!source.ok()) return source.status();
  if (source->count() != reader.rows()) {
    return Status::invalid_argument(fmt::format("{}: {} labels, {} has {} rows",
                                                arguments.labels_file, source->count().value_or(0),
                                                arguments.file, reader.rows()));
  }
  return Optional(std::move(*source));
}

int run(const Arguments& arguments) {
  Result<std::unique_ptr<matrix::Reader>> opened = matrix::Reader::open(arguments.file);
  if (!opened.ok()) return print_error(opened.status());
  matrix::Reader& reader = **opened;
  Result<std::optional<matrix::LabelSource>> labels = open_labels(arguments, reader);
  if (!labels.ok()) return print_error(labels.status());

  StoreOptions store_options;
  store_options.durability = arguments.durability;
  Result<Store> store = Store::open(arguments.at.store, store_options);
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  const std::string name = arguments.at.index.empty() ? "default" : arguments.at.index;
  Result<Index> index = open_or_create(*store, name, arguments, reader);
  if (!index.ok()) return print_error(index.status(), kExitCannotOpen);
  if (Status s = check_options(arguments, reader.dimension(), index->options()); !s.ok()) {
    return print_error(s);
  }

  Totals totals;
  const auto start = std::chrono::steady_clock::now();
  const Status imported =
      import_batches(arguments, reader, labels->has_value() ? &**labels : nullptr, *index, totals);
  const Status synced = store->sync();
  totals.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // Under full durability each acknowledged batch is durable already.
  if (synced.ok() || arguments.durability == Durability::kFull) totals.durable = totals.imported;
  const Status closed = store->close();
  print_totals(arguments, name, totals);
  for (const Status* status : {&imported, &synced, &closed}) {
    if (!status->ok()) return print_error(*status);
  }
  return kExitOk;
}

}  // namespace

void add_import(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "import", "Store the rows of a vector file", run, exit_code);
  command->footer(std::string("FILE ends in one of ") + matrix::kFormatNames +
                  ".\nA jsonl line is {\"label\": 7, \"vector\": [0.5, 1]}, label optional.\n"
                  "A malformed row stops the import: nothing of its batch is stored, earlier "
                  "batches stay.\n" +
                  kExitCodesHelp);
  command->add_option("file", arguments->file, "Vectors, a row each")->required();
  CLI::Option* labels = command->add_option(
      "--labels", arguments->labels_file, "Labels of the rows: text, one a line, or .npy of '<u8'");
  command
      ->add_option("--first-label", arguments->first_label,
                   "Count labels from here (default: from 0)")
      ->excludes(labels);
  add_metric(*command, arguments->metric)->group("New index");
  command->add_option("--M", arguments->M, "Links per node, 4 to 64 (default: 16)")
      ->group("New index");
  command
      ->add_option("--ef-construction", arguments->ef_construction,
                   "Candidates examined per insert (default: 200)")
      ->group("New index");
  add_quantization(*command, arguments->quantization)->group("New index");
  command->add_option("--seed", arguments->seed, "Seed of the levels (default: 42)")
      ->group("New index");
  command->add_option("--threads", arguments->threads, "Threads (default: one per CPU)");
  command->add_option("--batch", arguments->batch, "Rows stored together")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 24))
      ->capture_default_str();
  add_durability(*command, arguments->durability);
  command->add_flag("--json", arguments->json, "Print the result as JSON");
}

}  // namespace vicinal::tools
