#include "tools/redis/maintenance_commands.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "tools/redis/background.h"
#include "tools/redis/fork_guard.h"
#include "tools/redis/key.h"
#include "tools/redis/memory_limit.h"
#include "tools/redis/reply.h"
#include "tools/redis/settings.h"
#include "tools/redis/thread_pool.h"

namespace vicinal::redis {
namespace {

// Samples of one call of recall(), which cannot be ended: some tenths of a second of comparing with all
// vectors and walking. Each call gathers and sorts all labels: its samples cost as much at least.
std::size_t samples_of_part(const Index& index, const RecallOptions& options) {
  constexpr std::uint64_t kComponents = std::uint64_t{1} << 30;
  constexpr std::uint64_t kSorting = 1024;  // a label, in components
  constexpr std::uint64_t kBeside = 64;     // of a vector: what it costs to visit it
  constexpr std::uint64_t kWalkedByEf = 64;
  const std::uint64_t size = std::max<std::uint64_t>(1, index.size());
  const std::uint64_t ef = std::max(options.ef_search, options.k);
  const std::uint64_t walked = std::min(size, ef * kWalkedByEf);
  const std::uint64_t row = index.dimension() + kBeside;
  // What is walked lies here and there.
  const std::uint64_t by_time = kComponents / ((size + 4 * walked) * row);
  return static_cast<std::size_t>(std::max(by_time, 1 + kSorting / row));
}

// By parts, each other vectors, so that it can end between them.
Result<double> recall_by_parts(const Index& index, RecallOptions options,
                               const ProgressCallback& go_on) {
  const std::size_t most = samples_of_part(index, options);
  const std::size_t samples =
      std::clamp<std::size_t>(static_cast<std::size_t>(index.size()), 1, options.samples);
  double sum = 0;
  for (std::size_t done = 0; done < samples; done += options.samples, ++options.seed) {
    options.samples = std::min(most, samples - done);
    Result<double> part = index.recall(options);
    if (!part) return part;
    sum += *part * static_cast<double>(options.samples);
    if (!go_on({})) return Status::cancelled("nobody waits for it");
  }
  return sum / static_cast<double>(samples);
}

/// Work on a set whose result, a T, is replied.
template <typename T>
class SetWork final : public BackgroundWork {
 public:
  enum class Writes { kNo, kYes };
  /// The callback says whether to go on.
  using Work = std::function<Result<T>(const VectorSet&, const ProgressCallback&)>;
  using Reply = std::function<void(ServerContext*, const VectorSet&, const T&)>;

  SetWork(SetValue set, Writes writes, Work work, Reply reply)
      : set_(std::move(set)), writes_(writes), work_(std::move(work)), reply_(std::move(reply)) {}

  void work(bool may_wait) override {
    // A REBUILD or REPAIR that has begun is done, whoever has gone: an operator's client may have timed out.
    const auto go_on = [this](const Progress&) {
      const bool wanted = writes_ == Writes::kYes || !abandoned();
      return wanted && !ThreadPool::maintenance().ending();
    };
    if (writes_ == Writes::kNo) {
      result_ = value_or_refuse(work_(*set_, go_on));
      return;
    }
    const BackgroundWrites alone(set_, may_wait);
    if (!alone) throw Refusal("ERR the vector set is being repaired or rebuilt");
    result_ = value_or_refuse(work_(*set_, go_on));
  }
  void reply(ServerContext* context) override {
    if (writes_ == Writes::kYes) set_->measure();
    reply_(context, *set_, result_);
  }

 private:
  const SetValue set_;
  const Writes writes_;
  const Work work_;
  const Reply reply_;
  T result_{};
};

SetValue set_at(ServerContext* context, ServerString* name) {
  const Key key(context, name, kReadKey);
  if (key.missing()) throw Refusal("ERR key does not exist");
  return key.share();
}

template <typename T>
void run_on_set(ServerContext* context, ServerString* name, typename SetWork<T>::Writes writes,
                typename SetWork<T>::Work work, typename SetWork<T>::Reply reply) {
  run_in_background(context, ThreadPool::maintenance(),
                    std::make_unique<SetWork<T>>(set_at(context, name), writes, std::move(work),
                                                 std::move(reply)));
}

void reply_stats(ServerContext* context, const VectorSet& set, const Stats& stats) {
  api.ReplyWithMap(context, 24);
  reply_field(context, "live", stats.live);
  reply_field(context, "tombstones", stats.tombstones);
  reply_field(context, "free-slots", stats.free_slots);
  reply_field(context, "attributes", set.elements().attribute_count());
  reply_field(context, "flat", stats.flat ? 1ULL : 0ULL);
  reply_field(context, "levels", stats.levels);
  reply_field(context, "dimension", stats.options.dimension);
  reply_field(context, "metric", metric_name(stats.options.metric));
  reply_field(context, "quantization", quantization_name(stats.options.quantization));
  reply_field(context, "m", stats.options.M);
  reply_field(context, "ef-construction", stats.options.ef_construction);
  reply_field(context, "bytes-vectors", stats.bytes_vectors);
  reply_field(context, "bytes-codes", stats.bytes_codes);
  reply_field(context, "bytes-links", stats.bytes_links);
  reply_field(context, "bytes-nodes", stats.bytes_nodes);
  reply_field(context, "bytes-labels", stats.bytes_labels);
  reply_field(context, "bytes-scratch", stats.bytes_scratch);
  reply_field(context, "bytes-names", set.elements().bytes());
  reply_field(context, "bytes-arenas", set.arena_bytes());
  reply_field(context, "bytes-serialized", set.serialized_bytes());
  reply_field(context, "wider-walks", stats.wider_walks);
  reply_field(context, "fallback-scans", stats.fallback_scans);
  reply_field(context, "uid", set.uid());
  reply_field(context, "cpu-target", stats.target.c_str());
}

void reply_report(ServerContext* context, const VectorSet&, const ValidateReport& report) {
  api.ReplyWithMap(context, 12);
  reply_field(context, "problems", report.problems);
  reply_field(context, "live", report.live);
  reply_field(context, "tombstones", report.tombstones);
  reply_field(context, "unreachable", report.unreachable);
  reply_field(context, "dead-links", report.dead_links);
  reply_field(context, "invalid-links", report.invalid_links);
  reply_field(context, "duplicate-links", report.duplicate_links);
  reply_field(context, "overfull-lists", report.overfull_lists);
  reply_field(context, "tree-errors", report.tree_errors);
  reply_field(context, "entry-point-errors", report.entry_point_errors);
  reply_field(context, "label-errors", report.label_errors);
  api.ReplyWithSimpleString(context, "messages");
  api.ReplyWithArray(context, static_cast<long>(report.messages.size()));
  for (const std::string& message : report.messages) reply_text(context, message);
}

void reply_repair(ServerContext* context, const VectorSet&, const RepairResult& result) {
  api.ReplyWithMap(context, 4);
  reply_field(context, "examined", result.nodes_examined);
  reply_field(context, "relinked", result.nodes_relinked);
  reply_field(context, "freed", result.slots_freed);
  reply_field(context, "mended", result.unreachable_mended);
}

}  // namespace

void stats(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  constexpr std::uint64_t kAtOnce = 4096;  // less than a millisecond
  SetValue set = set_at(context, argv[1]);
  const bool at_once = set->size() <= kAtOnce;
  auto work = std::make_unique<SetWork<Stats>>(
      std::move(set), SetWork<Stats>::Writes::kNo,
      [](const VectorSet& of, const ProgressCallback&) -> Result<Stats> {
        return of.index().stats();
      },
      reply_stats);
  if (at_once) return run_in_foreground(context, *work);
  // Not behind what takes minutes.
  run_in_background(context, ThreadPool::searches(), std::move(work));
}

void validate(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  run_on_set<ValidateReport>(
      context, argv[1], SetWork<ValidateReport>::Writes::kNo,
      [](const VectorSet& set, const ProgressCallback& go_on) {
        return set.index().validate({.progress = go_on});
      },
      reply_report);
}

void recall(ServerContext* context, ServerString** argv, int argc) {
  if (argc < 2) throw WrongArity();
  RecallOptions options;
  options.threads = build_threads();
  for (int at = 2; at < argc; at += 2) {
    if (at + 1 == argc) throw Refusal("ERR syntax error in VICINAL.RECALL command");
    if (is(argv[at], "SAMPLES")) {
      options.samples =
          static_cast<std::size_t>(number(argv[at + 1], 1, 1000000, "ERR invalid SAMPLES"));
    } else if (is(argv[at], "COUNT")) {
      options.k = static_cast<std::size_t>(number(argv[at + 1], 1, 10000, "ERR invalid COUNT"));
    } else if (is(argv[at], "EF")) {
      options.ef_search =
          static_cast<std::size_t>(number(argv[at + 1], 1, 100000, "ERR invalid EF"));
    } else {
      throw Refusal("ERR syntax error in VICINAL.RECALL command");
    }
  }
  run_on_set<double>(
      context, argv[1], SetWork<double>::Writes::kNo,
      [options](const VectorSet& set, const ProgressCallback& go_on) {
        return recall_by_parts(set.index(), options, go_on);
      },
      [](ServerContext* to, const VectorSet&, const double& value) {
        api.ReplyWithDouble(to, value);
      });
}

void repair(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  run_on_set<RepairResult>(
      context, argv[1], SetWork<RepairResult>::Writes::kYes,
      [](const VectorSet& set, const ProgressCallback& go_on) {
        return Index(set.index()).repair({.progress = go_on});
      },
      reply_repair);
}

void rebuild(ServerContext* context, ServerString** argv, int argc) {
  if (argc != 2) throw WrongArity();
  refuse_when_full(context, set_at(context, argv[1])->graph_bytes());
  run_on_set<bool>(
      context, argv[1], SetWork<bool>::Writes::kYes,
      [threads = build_threads()](const VectorSet& set,
                                  const ProgressCallback& go_on) -> Result<bool> {
        Status done = Index(set.index()).rebuild({.threads = threads, .progress = go_on});
        if (!done.ok()) return done;
        return true;
      },
      [](ServerContext* to, const VectorSet&, const bool&) {
        api.ReplyWithSimpleString(to, "OK");
      });
}

}  // namespace vicinal::redis
