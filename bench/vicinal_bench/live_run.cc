#include "bench/vicinal_bench/live_run.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "bench/vicinal_bench/crew.h"
#include "bench/vicinal_bench/live_activities.h"
#include "bench/vicinal_bench/live_writers.h"
#include "tools/interrupt.h"

namespace vicinal::bench {
namespace {

constexpr double kTurn = 0.5;
// Fewer searches of the control than this are no measure: beside a short batch it gets more.
constexpr std::uint64_t kFewest = 100;

using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// The latencies of timed writes that began in one of the ascending `spans`; null: in any case.
void add_latencies(const std::vector<Write>& log, const Spans* spans, Latencies& to) {
  for (const Write& write : log) {
    if (!write.timed) continue;
    if (spans != nullptr) {
      const auto after =
          std::upper_bound(spans->begin(), spans->end(), write.begin,
                           [](std::int64_t begin, const auto& span) { return begin < span.first; });
      if (after == spans->begin() || std::prev(after)->second < write.begin) continue;
    }
    to.add(static_cast<double>(write.end - write.begin) * 1e-9);
  }
}

class PhaseRun {
 public:
  PhaseRun(LiveWorld& world, const matrix::Matrix& query, const LiveShape& shape,
           const Phase& phase);

  Result<PhaseOutcome> run();

 private:
  /// Searches one of the two for a turn, while the gate is open.
  Status turn(LiveIndex& made, Tally& tally, std::uint64_t& next, bool gated);
  Status alternate();
  bool done() const;
  void start_writers(Crew& crew);
  void collect();

  LiveWorld& world_;
  const matrix::Matrix& query_;
  const LiveShape& shape_;
  const Phase& phase_;
  SearchThread search_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::unique_ptr<Writer> bystander_;
  std::unique_ptr<Writer> own_;  ///< the activity's
  std::unique_ptr<Activity> activity_;
  std::atomic<bool> stop_{false};
  Clock::time_point start_;
  double searched_ = 0;  ///< seconds, in both
  std::uint64_t next_measured_ = 0;
  std::uint64_t next_control_ = 0;
  PhaseOutcome outcome_;
};

PhaseRun::PhaseRun(LiveWorld& world, const matrix::Matrix& query, const LiveShape& shape,
                   const Phase& phase)
    : world_(world),
      query_(query),
      shape_(shape),
      phase_(phase),
      search_(query, shape.k),
      outcome_(query.rows, shape.seed) {
  LiveIndex& made = world.measured();
  const std::size_t parts = phase.writers + 1;
  for (unsigned i = 0; i < phase.writers; ++i) {
    writers_.push_back(std::make_unique<Writer>(world, made, i, parts, shape.seed));
  }
  if (phase.trickle) {
    bystander_ = std::make_unique<Writer>(world, world.bystander(), 0, 1, shape.seed);
  }
  own_ = std::make_unique<Writer>(world, made, phase.writers, parts, shape.seed);
  activity_ = make_activity(phase.activity, world, *own_);
}

Status PhaseRun::turn(LiveIndex& made, Tally& tally, std::uint64_t& next, bool gated) {
  const double length = std::min(kTurn, shape_.seconds / 4);
  for (double spent = 0; spent < length && !stop_ && !tools::interrupted();) {
    // A search that begins while the gate is open counts even if it ends later: one that waits for
    // the activity to end is what is looked for.
    if (gated && activity_ != nullptr && !activity_->open()) {
      if (activity_->over() || done()) return {};
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      continue;
    }
    const Clock::time_point start = Clock::now();
    Status s = search_.search(made.index(), made.count, shape_.ef, next++ % query_.rows, tally);
    if (!s.ok()) return s;
    const double took = seconds_since(start);
    spent += took;
    searched_ += took;
  }
  return {};
}

bool PhaseRun::done() const {
  if (seconds_since(start_) >= shape_.longest) return true;
  if (activity_ == nullptr) return searched_ >= shape_.seconds;
  if (activity_->over()) return true;
  return !phase_.batch() && searched_ >= shape_.seconds && activity_->rounds() > 0;
}

Status PhaseRun::alternate() {
  while (!stop_ && !done()) {
    Status s = turn(world_.measured(), outcome_.measured, next_measured_, true);
    if (s.ok()) s = turn(world_.control(), outcome_.control, next_control_, true);
    if (!s.ok()) return s;
    if (tools::interrupted()) return Status::cancelled("interrupted");
  }
  if (stop_ || outcome_.control.searches() >= kFewest) return {};
  return turn(world_.control(), outcome_.control, next_control_, false);
}

void PhaseRun::start_writers(Crew& crew) {
  WriterPlan plan{.kind = phase_.writes, .trickle = phase_.trickle};
  const double writes = shape_.write_share * static_cast<double>(world_.measured().first.size());
  if (writes >= 1) plan.between = shape_.seconds * phase_.writers / writes;
  for (const std::unique_ptr<Writer>& writer : writers_) {
    crew.start(
        [this, plan, &writer] { return write_until(plan, *writer, bystander_.get(), stop_); });
  }
}

void PhaseRun::collect() {
  const Spans* spans = activity_ != nullptr ? &activity_->spans() : nullptr;
  for (const std::unique_ptr<Writer>& writer : writers_) {
    outcome_.log.insert(outcome_.log.end(), writer->log().begin(), writer->log().end());
    add_latencies(writer->log(), spans, outcome_.writes);
  }
  if (bystander_ != nullptr) add_latencies(bystander_->log(), spans, outcome_.control_writes);
  outcome_.log.insert(outcome_.log.end(), own_->log().begin(), own_->log().end());
  if (activity_ != nullptr) {
    const std::vector<Write> log = activity_->log();
    outcome_.log.insert(outcome_.log.end(), log.begin(), log.end());
    outcome_.rounds = activity_->rounds();
  }
  const Stats stats = world_.measured().index().stats();
  outcome_.live = stats.live;
  outcome_.tombstones = stats.tombstones;
}

Result<PhaseOutcome> PhaseRun::run() {
  start_ = Clock::now();
  Crew crew;
  start_writers(crew);
  if (activity_ != nullptr) {
    crew.start([this] { return activity_->run(stop_); });
  }
  const Status searched = alternate();
  stop_ = true;
  const Status others = crew.join();
  if (!others.ok()) return others;
  if (!searched.ok()) return searched;
  collect();
  if (!phase_.at_rest()) {
    stop_ = false;
    Status s = turn(world_.measured(), outcome_.after_measured, next_measured_, false);
    if (s.ok()) s = turn(world_.control(), outcome_.after_control, next_control_, false);
    if (!s.ok()) return s;
  }
  return std::move(outcome_);
}

}  // namespace

Result<PhaseOutcome> run_phase(LiveWorld& world, const matrix::Matrix& query,
                               const LiveShape& shape, const Phase& phase) {
  if (!phase.at_rest()) world.touched();
  PhaseRun run(world, query, shape, phase);
  return run.run();
}

}  // namespace vicinal::bench
