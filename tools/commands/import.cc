// vicinal import: rows of a vector file into an index, in batches that are stored whole or not at
// all.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/interrupt.h"
#include "tools/matrix/labels.h"
#include "tools/matrix/matrix.h"
#include "tools/names.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/row_refusal.h"

namespace vicinal::tools {
namespace {

constexpr WholeRange kLinks = {4, 64};
constexpr WholeRange kEfConstruction = {4, 10000};

struct ImportArguments {
  StoreArguments at;
  std::string file;
  matrix::Wanted wanted;
  std::string labels_file;
  std::optional<Label> first_label;
  std::optional<Metric> metric;
  std::optional<std::uint32_t> M;
  std::optional<std::uint32_t> ef_construction;
  std::optional<Quantization> quantization;
  std::optional<Storage> storage;
  std::optional<std::uint64_t> seed;
  unsigned threads = 0;
  std::size_t batch = 10000;
  Durability durability = Durability::kFull;
  bool json = false;
};

struct ImportTotals {
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
Status check_options(const ImportArguments& arguments, std::uint32_t dimension,
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
  if (arguments.storage.has_value() && *arguments.storage != stored.storage) {
    return Status::invalid_argument(fmt::format("--storage is {}, the index was made with {}",
                                                storage_name(*arguments.storage),
                                                storage_name(stored.storage)));
  }
  if (Status s = check_same("--M", arguments.M, stored.M); !s.ok()) return s;
  if (Status s = check_same("--ef-construction", arguments.ef_construction, stored.ef_construction);
      !s.ok()) {
    return s;
  }
  return check_same("--seed", arguments.seed, stored.seed);
}

IndexOptions new_options(const ImportArguments& arguments, const matrix::Reader& reader) {
  IndexOptions options;
  options.dimension = reader.dimension();
  const matrix::Origin& origin = reader.origin();
  const auto said = [](std::uint64_t value, WholeRange range, std::uint32_t otherwise) {
    return value >= range.low && value <= range.high ? static_cast<std::uint32_t>(value)
                                                     : otherwise;
  };
  options.metric = arguments.metric.value_or(origin.metric.value_or(options.metric));
  options.M = arguments.M.value_or(said(origin.M, kLinks, options.M));
  options.ef_construction = arguments.ef_construction.value_or(
      said(origin.ef_construction, kEfConstruction, options.ef_construction));
  if (!arguments.ef_construction) {  // a file's may be less than this engine wants
    options.ef_construction = std::max(options.ef_construction, options.M);
  }
  options.quantization = arguments.quantization.value_or(options.quantization);
  options.storage = arguments.storage.value_or(options.storage);
  options.seed = arguments.seed.value_or(options.seed);
  options.threads = arguments.threads;
  return options;
}

/// The rows of a file, a batch at a time, with their labels.
class Rows {
 public:
  Rows(const ImportArguments& arguments, matrix::Reader& reader,
       std::optional<matrix::LabelSource> labels)
      : reader_(reader), labels_(std::move(labels)), most_(arguments.batch) {}

  /// Replaces batch(), which is empty at the end of the file.
  Status next() {
    if (Status s = reader_.read(most_, batch_); !s.ok()) return s;
    if (batch_.rows == 0 || !labels_.has_value()) return {};
    batch_.labels.resize(batch_.rows);
    return labels_->next(batch_.labels);
  }
  const matrix::Batch& batch() const { return batch_; }
  const matrix::Reader& reader() const { return reader_; }

 private:
  matrix::Reader& reader_;
  std::optional<matrix::LabelSource> labels_;
  const std::size_t most_;
  matrix::Batch batch_;
};

struct Target {
  Store store;
  std::string name;
  std::optional<Index> index;  ///< none: not made yet

  /// An empty index of ours goes again when nothing could be put into it.
  bool made = false;
};

/// Opens the store, and the index in it, as far as they exist.
/// Errors: kNotFound  there is no store yet.
Result<Target> open_existing(const ImportArguments& arguments, const StoreOptions& how) {
  StoreOptions options = how;
  options.create = false;
  Result<Store> store = Store::open(arguments.at.store, options);
  if (!store.ok()) return store.status();
  Result<std::vector<std::string>> names = store->index_names();
  if (!names.ok()) return names.status();
  Target target{std::move(*store), arguments.at.index.empty() ? "default" : arguments.at.index, {}};
  if (std::find(names->begin(), names->end(), target.name) == names->end()) return target;
  OpenMode mode;
  mode.read_only = false;
  mode.threads = arguments.threads;
  Result<Index> index = open_index(target.store, target.name, mode);
  if (!index.ok()) return index.status();
  target.index.emplace(std::move(*index));
  return target;
}

Status make_index(const ImportArguments& arguments, const matrix::Reader& reader, Target& target) {
  IndexOptions options = new_options(arguments, reader);
  options.reserve = std::min(reader.rows(), kMostRows - 1);
  Result<Index> index = target.store.index(target.name, options);
  if (!index.ok()) return index.status();
  target.index.emplace(std::move(*index));
  target.made = true;
  return {};
}

/// `refusal`, and what of the file was stored before it; `more` is said between them.
Status with_rows_before(const Status& refusal, const ImportTotals& totals,
                        const std::string& more) {
  const std::string before =
      totals.imported == 0 ? std::string("nothing was imported")
                           : fmt::format("{}rows 0 to {} were imported", more, totals.imported - 1);
  return {refusal.code(), fmt::format("{}; {}", refusal.message(), before)};
}

/// The engine's refusal of the batch, with the place in the file.
Status locate_refusal(const Status& refusal, const Rows& rows, const Index& index,
                      const ImportTotals& totals) {
  const matrix::Batch& batch = rows.batch();
  const std::uint64_t last = batch.first_row + batch.rows - 1;
  Status located = refusal;
  if (refusal.code() == StatusCode::kInvalidArgument) {
    if (Status row = refused_row(index.options(), rows.reader(), batch); !row.ok()) located = row;
  }
  if (refusal.code() == StatusCode::kCancelled) {  // says itself how much of the batch is stored
    located = Status(refusal.code(),
                     fmt::format("in rows {} to {}: {}", batch.first_row, last, refusal.message()));
    return totals.imported == 0 ? located : with_rows_before(located, totals, "");
  }
  return with_rows_before(
      located, totals,
      fmt::format("nothing of rows {} to {} was imported, ", batch.first_row, last));
}

/// Imports the batch that `rows` has and all that follow.
Status import_batches(const ImportArguments& arguments, Rows& rows, Index& index,
                      ImportTotals& totals) {
  ProgressBar bar("importing", rows.reader().rows(), "rows");
  for (;;) {
    const matrix::Batch& batch = rows.batch();
    if (batch.rows == 0) return {};
    if (interrupted()) return with_rows_before(Status::cancelled("interrupted"), totals, "");
    BatchOptions options;
    options.threads = arguments.threads;
    options.progress = bar.callback_from(batch.first_row);
    Result<BatchResult> done = index.upsert_batch(batch.labels, batch.values, options);
    if (!done.ok()) return locate_refusal(done.status(), rows, index, totals);
    totals.imported += batch.rows;
    add_to(totals.by_label, *done);
    bar.update(totals.imported);
    if (Status s = rows.next(); !s.ok()) {
      return with_rows_before(
          s, totals, fmt::format("nothing from row {} on was imported, ", totals.imported));
    }
  }
}

void print_totals(const ImportArguments& arguments, const std::string& name,
                  const ImportTotals& totals) {
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
    fmt::print("{}\n", json_text(json));
    return;
  }
  fmt::print(
      "imported {} rows into {} (index {}): {} inserted, {} updated, {} resurrected, {} "
      "unchanged, {} repeated; {} durable; {}, {} rows/s\n",
      grouped(totals.imported), arguments.at.store, name, grouped(b.inserted), grouped(b.updated),
      grouped(b.resurrected), grouped(b.unchanged), grouped(b.repeated), grouped(totals.durable),
      human_seconds(totals.seconds), grouped(static_cast<std::uint64_t>(rate)));
}

Result<std::optional<matrix::LabelSource>> open_labels(const ImportArguments& arguments,
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

/// The store and the index that the first batch goes into. Nothing is made before that batch is
/// known to be good.
Result<Target> open_target(const ImportArguments& arguments, Rows& rows, int& code) {
  StoreOptions how;
  how.durability = arguments.durability;
  code = kExitCannotOpen;
  Result<Target> target = open_existing(arguments, how);
  const bool fresh = target.status().code() == StatusCode::kNotFound;
  if (!target.ok() && !fresh) return target.status();
  code = kExitFailure;
  const matrix::Reader& reader = rows.reader();
  if (target.ok() && target->index.has_value()) {
    Status s = check_options(arguments, reader.dimension(), target->index->options());
    if (!s.ok()) return s;
  }
  if (Status s = rows.next(); !s.ok()) return s;
  if (target.ok() && target->index.has_value()) return target;
  if (!arguments.metric.has_value() && !reader.origin().no_metric.empty()) {
    return Status::invalid_argument(fmt::format("{}: {}: say --metric cosine, inner_product or l2",
                                                arguments.file, reader.origin().no_metric));
  }
  const Status refused = refused_row(new_options(arguments, reader), reader, rows.batch());
  if (!refused.ok()) return refused;
  code = kExitCannotOpen;
  if (fresh) {
    Result<Store> store = Store::open(arguments.at.store, how);
    if (!store.ok()) return store.status();
    target =
        Target{std::move(*store), arguments.at.index.empty() ? "default" : arguments.at.index, {}};
  }
  if (Status s = make_index(arguments, reader, *target); !s.ok()) return s;
  return target;
}

int import_rows(const ImportArguments& arguments, Rows& rows, Target& target) {
  ImportTotals totals;
  const auto start = std::chrono::steady_clock::now();
  const Status imported = import_batches(arguments, rows, *target.index, totals);
  if (!imported.ok() && target.made && target.index->size() == 0) {
    // Whoever tries again with other options is to find nothing in the way.
    static_cast<void>(target.store.drop_index(target.name));
  }
  const Status synced = target.store.sync();
  totals.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  // Under full durability each acknowledged batch is durable already.
  if (synced.ok() || arguments.durability == Durability::kFull) totals.durable = totals.imported;
  print_totals(arguments, target.name, totals);
  int code = kExitOk;
  for (const Status* status : {&imported, &synced}) {
    if (!status->ok()) code = print_error(*status);
  }
  if (totals.durable == totals.imported) {
    const std::string kept = fmt::format("{} imported rows are durable", grouped(totals.durable));
    return std::max(code, close_store(target.store, kept));
  }
  const Status closed = target.store.close();
  return closed.ok() ? code : print_error(closed);
}

int run_import(const ImportArguments& arguments) {
  const auto refuse = [](const Status& status, int code = kExitFailure) {
    return print_error(with_rows_before(status, {}, ""), code);
  };
  Result<std::unique_ptr<matrix::Reader>> opened = open_rows(arguments.file, arguments.wanted);
  if (!opened.ok()) return refuse(opened.status());
  Result<std::optional<matrix::LabelSource>> labels = open_labels(arguments, **opened);
  if (!labels.ok()) return refuse(labels.status());
  Rows rows(arguments, **opened, std::move(*labels));
  int code = kExitOk;
  Result<Target> target = open_target(arguments, rows, code);
  if (!target.ok()) return refuse(target.status(), code);
  return import_rows(arguments, rows, *target);
}

}  // namespace

void add_import(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "import", "Store the rows of a vector file", run_import, exit_code);
  command->footer(
      std::string("FILE ends in one of ") + matrix::kFormatNames +
      ", .gz may follow.\nhnswlib and faiss (flat) are saved indexes; HDF5 is as ann-benchmarks "
      "has it.\nA jsonl line is {\"label\": 7, \"vector\": [0.5, 1]}, label optional.\n"
      "A malformed row stops the import: nothing of its batch is stored, earlier "
      "batches stay. A store or an index that is not there is made once the "
      "first batch is known to be good.\n" +
      kExitCodesHelp);
  add_text(*command, "file", arguments->file, "Vectors, a row each; - is standard input")
      ->required();
  arguments->wanted.usual_array = "train";
  add_format(*command, arguments->wanted.format);
  add_array(*command, arguments->wanted.array, "train");
  add_whole(*command, "--dimension", arguments->wanted.dimension, {1, matrix::kMaxDimension},
            "Dimension that the file must have; hnswlib: a row may be as many uint8");
  CLI::Option* labels = add_text(*command, "--labels", arguments->labels_file,
                                 "Labels of the rows: text, one a line, or npy of whole numbers");
  add_whole(*command, "--first-label", arguments->first_label, {},
            "Count labels from here (default: from 0)")
      ->excludes(labels);
  add_metric(*command, arguments->metric)
      ->description("How nearness is measured (default: the file's, or cosine)")
      ->group("New index");
  add_whole(*command, "--M", arguments->M, kLinks,
            "Links per node, 4 to 64 (default: the file's, or 16)")
      ->group("New index");
  add_whole(*command, "--ef-construction", arguments->ef_construction, kEfConstruction,
            "Candidates examined per insert (default: the file's, or 200)")
      ->group("New index");
  add_quantization(*command, arguments->quantization)->group("New index");
  add_storage(*command, arguments->storage)->group("New index");
  add_whole(*command, "--seed", arguments->seed, {}, "Seed of the levels (default: 42)")
      ->group("New index");
  add_whole(*command, "--threads", arguments->threads, kThreads, "Threads (default: one per CPU)");
  add_whole(*command, "--batch", arguments->batch, {1, 1u << 24}, "Rows stored together")
      ->capture_default_str();
  add_durability(*command, arguments->durability);
  command->add_flag("--json", arguments->json, "Print the result as JSON");
}

}  // namespace vicinal::tools
