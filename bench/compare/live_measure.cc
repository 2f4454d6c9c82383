// Vicinal and hnswlib in motion: idle, with rows erased, and beside a thread that inserts.
//
// How: every engine has two equal indexes. One is erased from and inserted into, the other stays as
// it was built and is searched in alternating half seconds: the ratio of the two says what motion
// costs, whatever else the machine does. All engines go through a phase in turns. The median of the
// turns counts, of the ratios as well.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>

#include "bench/compare/child.h"
#include "bench/compare/live_turn.h"
#include "bench/compare/measure.h"

namespace vicinal::bench {
namespace {

constexpr double kTurnSeconds = 0.5;
constexpr std::uint64_t kEraseSeed = 42;
// Rows left out for the inserts: at most what the fastest engine inserts in the time, and a third.
constexpr double kInsertsPerSecond = 20'000;
constexpr std::size_t kLeastRows = 100;

struct Phase {
  const char* name;
  double erased;  ///< share of the rows
  bool writes;
};
constexpr Phase kPhases[] = {{"idle", 0, false},
                             {"deleted_5", 0.05, false},
                             {"deleted_20", 0.2, false},
                             {"writer", 0, true}};

struct Contender {
  std::string name;
  std::shared_ptr<Engine> still;   ///< stays as it was built
  std::shared_ptr<Engine> moving;  ///< the same, and what is done to it
  const matrix::Matrix& query;
  RowsToInsert rows;
  std::vector<Turn> still_turns;  ///< of the phase under way
  std::vector<Turn> moving_turns;
};

class LiveBench {
 public:
  LiveBench(const Dataset& data, const RunOptions& options)
      : data_(data), options_(options), truth_(data, options.k, options.threads.back()) {
    const auto limit = static_cast<std::size_t>(std::ceil(kInsertsPerSecond * options.seconds));
    first_rows_ = data.base.rows - std::min<std::size_t>(data.base.rows / 3, limit);
    erase_order_.resize(first_rows_);
    std::iota(erase_order_.begin(), erase_order_.end(), std::size_t{0});
    std::shuffle(erase_order_.begin(), erase_order_.end(), std::mt19937_64(kEraseSeed));
  }

  Status build() {
    const auto takes_part = [&](const char* name) {
      return std::find(options_.engines.begin(), options_.engines.end(), name) !=
             options_.engines.end();
    };
    if (takes_part("vicinal")) {
      if (Status s = add("vicinal"); !s.ok()) return s;
    }
    if (takes_part("hnswlib")) {
      if (Status s = add("hnswlib"); !s.ok()) return s;
      // Nobody changes the index that stays: both ways search the same.
      const std::shared_ptr<Engine> still = contenders_.back().still;
      if (Status s = add("hnswlib-mutex", still); !s.ok()) return s;
    }
    if (contenders_.empty()) return Status::invalid_argument("no engine that runs in motion");
    return {};
  }

  Result<Json> run() {
    Json lines = Json::array();
    for (const Phase& phase : kPhases) {
      if (Status s = erase_share(phase.erased); !s.ok()) return s;
      if (Status s = run_phase(phase); !s.ok()) return s;
      for (const Contender& contender : contenders_) lines.push_back(line(phase, contender));
    }
    return Json{{"rows", first_rows_},
                {"rows_to_insert", data_.base.rows - first_rows_},
                {"k", options_.k},
                {"ef", kQualityEf},
                {"seconds", options_.seconds},
                {"turn_seconds", turn_seconds()},
                {"even_medians", "the mean of the middle two"},
                {"lines", std::move(lines)}};
  }

 private:
  double turn_seconds() const { return std::min(kTurnSeconds, options_.seconds); }
  std::size_t turns() const {
    return static_cast<std::size_t>(std::max(1.0, std::round(options_.seconds / turn_seconds())));
  }

  Result<std::shared_ptr<Engine>> built(const std::string& name) {
    say(fmt::format("{}: building {}, {} rows", data_.name, name, first_rows_));
    const Shape shape{.dimension = data_.base.dimension,
                      .capacity = data_.base.rows,
                      .M = options_.M,
                      .ef_construction = options_.ef_construction,
                      .keeps_erased = true};
    std::shared_ptr<Engine> engine = make_engine(name, shape);
    if (engine == nullptr) return Status::invalid_argument(name + ": cannot be made");
    const matrix::Matrix& base = takes_raw_rows(name) ? data_.base : data_.unit_base;
    const Status s = engine->build(base.values.data(), first_rows_, options_.threads.back());
    if (!s.ok()) return s;
    return engine;
  }

  /// `still` is searched instead of an index of its own when it is given; "-mutex" at the end of a
  /// name puts both behind one.
  Status add(const std::string& name, std::shared_ptr<Engine> still = nullptr) {
    const bool locked = name.ends_with("-mutex");
    const std::string plain = name.substr(0, name.find("-mutex"));
    const bool raw = takes_raw_rows(plain);
    Result<std::shared_ptr<Engine>> moving = built(plain);
    if (!moving.ok()) return moving.status();
    if (still == nullptr) {
      Result<std::shared_ptr<Engine>> second = built(plain);
      if (!second.ok()) return second.status();
      still = std::move(*second);
    }
    contenders_.push_back({name,
                           locked ? make_locked(still) : still,
                           locked ? make_locked(*moving) : *moving,
                           raw ? data_.query : data_.unit_query,
                           {raw ? data_.base : data_.unit_base, first_rows_, data_.base.rows},
                           {},
                           {}});
    return {};
  }

  /// Erases, or takes back, until `share` of the rows built with are erased.
  Status erase_share(double share) {
    const auto wanted =
        static_cast<std::size_t>(std::round(share * static_cast<double>(first_rows_)));
    while (erased_ != wanted) {
      const bool erase = erased_ < wanted;
      const std::size_t row = erase_order_[erase ? erased_ : erased_ - 1];
      for (Contender& c : contenders_) {
        Status s =
            erase ? c.moving->erase(row) : c.moving->restore(row, c.rows.base.row(row).data());
        if (!s.ok()) return s;
      }
      truth_.set_erased(row, erase);
      erased_ += erase ? 1 : static_cast<std::size_t>(-1);
    }
    return {};
  }

  Status run_phase(const Phase& phase) {
    say(fmt::format("{}: in motion, {}", data_.name, phase.name));
    for (Contender& c : contenders_) {
      c.still_turns.clear();
      c.moving_turns.clear();
      // What follows finds both warm.
      for (Engine* engine : {c.still.get(), c.moving.get()}) {
        run_queries(*engine, c.query, data_.truth, options_.k, kQualityEf);
      }
    }
    for (std::size_t turn = 0; turn < turns(); ++turn) {
      const TurnOptions options{options_.k, kQualityEf, turn_seconds(),
                                turn * data_.query.rows / turns()};
      for (Contender& c : contenders_) {
        Status s = turn_and_control(phase, options, c);
        if (!s.ok()) return s;
      }
    }
    return {};
  }

  /// A turn of the index that stays and one of the other. No longer, in a phase with writes, when
  /// the rows are used up; a last turn that they end early counts only when there is no other.
  Status turn_and_control(const Phase& phase, const TurnOptions& options, Contender& c) {
    if (phase.writes && c.rows.next == c.rows.end) return {};
    RowsToInsert built_with{c.rows.base, first_rows_, first_rows_};
    Result<Turn> still = take_turn(*c.still, c.query, still_truth_, options, built_with, false);
    if (!still.ok()) return still.status();
    Result<Turn> moving = take_turn(*c.moving, c.query, truth_, options, c.rows, phase.writes);
    if (!moving.ok()) return moving.status();
    const bool cut_short = phase.writes && c.rows.next == c.rows.end;
    if (cut_short && !c.moving_turns.empty()) return {};
    c.still_turns.push_back(*still);
    c.moving_turns.push_back(*moving);
    return {};
  }

  /// All searches and inserts of some turns; no speeds.
  static Turn sum_of(const std::vector<Turn>& turns) {
    Turn sum;
    for (const Turn& turn : turns) {
      sum.recall += turn.recall * static_cast<double>(turn.searches);
      sum.searches += turn.searches;
      sum.short_answers += turn.short_answers;
      sum.inserts += turn.inserts;
      sum.insert_seconds += turn.insert_seconds;
    }
    sum.recall /= static_cast<double>(std::max<std::size_t>(1, sum.searches));
    return sum;
  }

  static Json line(const Phase& phase, const Contender& c) {
    Json json{{"engine", c.name}, {"phase", phase.name}, {"turns", c.moving_turns.size()}};
    for (std::size_t i = 0; i < kSpeedNames.size(); ++i) {
      std::vector<double> values;
      std::vector<double> ratios;
      for (std::size_t t = 0; t < c.moving_turns.size(); ++t) {
        values.push_back(c.moving_turns[t].speeds[i]);
        ratios.push_back(values.back() / c.still_turns[t].speeds[i]);
      }
      const std::string name = kSpeedNames[i];
      json[name == "qps" ? name : name + "_us"] = rounded(median(values), 2);
      json[name + "_x"] = rounded(median(ratios), 4);
    }
    const Turn sum = sum_of(c.moving_turns);
    json["recall"] = rounded(sum.recall, 5);
    json["still_recall"] = rounded(sum_of(c.still_turns).recall, 5);
    json["searches"] = sum.searches;
    json["short_answers"] = sum.short_answers;
    if (phase.writes) {
      json["inserts"] = sum.inserts;
      json["inserts_per_s"] = rounded(static_cast<double>(sum.inserts) / sum.insert_seconds, 1);
    }
    return json;
  }

  const Dataset& data_;
  const RunOptions& options_;
  LiveTruth truth_;  ///< of the indexes that move
  const LiveTruth still_truth_ = truth_;
  std::size_t first_rows_ = 0;  ///< built with
  std::vector<std::size_t> erase_order_;
  std::size_t erased_ = 0;  ///< this many of them
  std::vector<Contender> contenders_;
};

}  // namespace

Result<Json> measure_live(const Dataset& data, const RunOptions& options) {
  if (data.base.rows < kLeastRows) {
    return Status::invalid_argument(
        fmt::format("{}: {} rows, {} are wanted", data.name, data.base.rows, kLeastRows));
  }
  return in_child([&]() -> Result<Json> {
    LiveBench bench(data, options);
    if (Status s = bench.build(); !s.ok()) return s;
    return bench.run();
  });
}

}  // namespace vicinal::bench
