#include "bench/compare/live_turn.h"

#include <algorithm>
#include <atomic>
#include <ctime>
#include <thread>
#include <utility>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/exact.h"

namespace vicinal::bench {
namespace {

// Entries of the exact lists for each neighbor wanted. With a third of the rows not inserted yet,
// 20 leave a list short only where those rows lie together; it is judged as far as it goes.
constexpr std::size_t kDepth = 20;

/// CPU time of the calling thread.
double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// The inserting thread, and how far it is.
class Writer {
 public:
  Writer(Engine& engine, const RowsToInsert& rows)
      : engine_(engine), rows_(rows), begun_(rows.next), done_(rows.next) {}
  ~Writer() { stop(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void start() {
    thread_ = std::thread([this] { work(); });
  }
  void stop() {
    wanted_ = false;
    if (thread_.joinable()) thread_.join();
  }

  /// Rows below were inserted before the call.
  std::size_t done() const { return done_; }
  /// Inserts of rows from here on begin after the call.
  std::size_t begun() const { return begun_; }
  bool ended() const { return ended_; }
  // After stop().
  const Status& status() const { return status_; }
  double seconds() const { return seconds_; }

 private:
  void work() {
    const Clock::time_point start = Clock::now();
    for (std::size_t row = rows_.next; row < rows_.end && wanted_; ++row) {
      begun_ = row + 1;
      status_ = engine_.insert(row, rows_.base.row(row).data());
      if (!status_.ok()) break;
      done_ = row + 1;
    }
    seconds_ = seconds_since(start);
    ended_ = true;
  }

  Engine& engine_;
  const RowsToInsert& rows_;
  std::atomic<std::size_t> begun_;
  std::atomic<std::size_t> done_;
  std::atomic<bool> wanted_{true};
  std::atomic<bool> ended_{false};
  Status status_;
  double seconds_ = 0;
  std::thread thread_;
};

struct Answer {
  std::size_t query = 0;
  std::size_t count = 0;
  std::size_t before = 0;
  std::size_t after = 0;
};

/// Judged after the turn: in it, judging would be work between searches.
void judge(const std::vector<Answer>& answers, const std::vector<Label>& labels,
           const LiveTruth& truth, std::size_t k, Turn& turn) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer& a = answers[i];
    turn.recall += truth.recall(a.query, {labels.data() + i * k, a.count}, a.before, a.after);
    if (a.count < std::min(k, truth.live(a.before))) ++turn.short_answers;
  }
  turn.searches = answers.size();
  turn.recall /= static_cast<double>(answers.size());
}

}  // namespace

LiveTruth::LiveTruth(const Dataset& data, std::size_t k, unsigned threads)
    : k_(k), erased_(data.base.rows, false) {
  ExactResult exact = exact_neighbors(data.base, data.query, Metric::kCosine, kDepth * k, threads);
  nearest_.rows = data.query.rows;
  nearest_.columns = static_cast<std::uint32_t>(exact.columns);
  nearest_.values = std::move(exact.rows);
}

void LiveTruth::set_erased(std::size_t row, bool erased) {
  if (erased_[row] == erased) return;
  erased_[row] = erased;
  erased_count_ += erased ? 1 : static_cast<std::size_t>(-1);
}

double LiveTruth::recall(std::size_t query, std::span<const Label> found, std::size_t before,
                         std::size_t after) const {
  // Of k hits, those that came meanwhile took the places of the farthest others.
  const auto meanwhile = static_cast<std::size_t>(
      std::count_if(found.begin(), found.end(), [&](Label l) { return l >= before && l < after; }));
  const std::size_t places = k_ - std::min(k_, meanwhile);
  std::size_t wanted = 0;
  std::size_t hits = 0;
  for (const std::int32_t value : nearest_.row(query)) {
    if (wanted == places) break;
    const auto row = static_cast<std::size_t>(value);
    if (row >= before || erased_[row]) continue;
    ++wanted;
    if (std::find(found.begin(), found.end(), Label{row}) != found.end()) ++hits;
  }
  return wanted == 0 ? 1 : static_cast<double>(hits) / static_cast<double>(wanted);
}

Result<Turn> take_turn(Engine& engine, const matrix::Matrix& queries, const LiveTruth& truth,
                       const TurnOptions& options, RowsToInsert& rows, bool writes) {
  Latencies wall;
  Latencies cpu;
  std::vector<Answer> answers;
  std::vector<Label> labels;
  Writer writer(engine, rows);
  if (writes) writer.start();
  const Clock::time_point start = Clock::now();
  double elapsed = 0;
  do {
    Answer answer;
    answer.query = (options.first_query + answers.size()) % queries.rows;
    labels.resize(labels.size() + options.k);
    answer.before = writer.done();
    const double cpu_start = thread_seconds();
    const Clock::time_point search_start = Clock::now();
    answer.count = engine.search(queries.row(answer.query).data(), options.k, options.ef,
                                 labels.data() + labels.size() - options.k);
    wall.add(seconds_since(search_start));
    cpu.add(thread_seconds() - cpu_start);
    answer.after = writer.begun();
    answers.push_back(answer);
    elapsed = seconds_since(start);
  } while (elapsed < options.seconds && !writer.ended());
  writer.stop();
  if (!writer.status().ok()) return writer.status();
  Turn turn;
  turn.speeds = {wall.percentile_us(0.5), wall.percentile_us(0.99), cpu.percentile_us(0.5),
                 cpu.percentile_us(0.99), static_cast<double>(answers.size()) / elapsed};
  judge(answers, labels, truth, options.k, turn);
  turn.inserts = writer.done() - rows.next;
  turn.insert_seconds = writer.seconds();
  rows.next = writer.done();
  return turn;
}

}  // namespace vicinal::bench
