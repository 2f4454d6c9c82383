#include "bench/compare/measure.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "bench/compare/child.h"
#include "bench/compare/contender.h"

namespace vicinal::bench {
namespace {

constexpr std::size_t kFirstSeed = Shape{}.seed;

struct Order {
  std::string name;
  Feeding feeding = Feeding::kBatch;
  unsigned threads = 1;
  std::size_t seed = kFirstSeed;

  const char* way() const {
    if (feeding == Feeding::kSingle) return "upsert";
    return name.starts_with("vicinal") ? "upsert_batch" : "add";
  }
};

Shape shape_of(const Dataset& data, const RunOptions& options, std::size_t seed = kFirstSeed) {
  return {data.base.dimension, data.base.rows, options.M, options.ef_construction, seed};
}

std::size_t held_out(const Dataset& data, const RunOptions& options) {
  return std::min<std::size_t>(options.held_out, data.base.rows / 10);
}

const matrix::Matrix& base_for(const std::string& name, const Dataset& data) {
  return takes_raw_rows(name) ? data.base : data.unit_base;
}
const matrix::Matrix& query_for(const std::string& name, const Dataset& data) {
  return takes_raw_rows(name) ? data.query : data.unit_query;
}

/// CPU time of this process so far, all threads.
double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Builds all but the rows held out; answers the line for the report.
Result<Json> build(Engine& engine, const Order& order, const Dataset& data, std::size_t rows,
                   std::uint64_t resident_before) {
  say(fmt::format("{}: building {} by {}, {} thread(s)", data.name, order.name, order.way(),
                  order.threads));
  const double cpu_before = cpu_seconds();
  const Clock::time_point start = Clock::now();
  const Status built = engine.build(base_for(order.name, data).values.data(), rows, order.threads);
  const double seconds = seconds_since(start);
  const double share = (cpu_seconds() - cpu_before) / (seconds * order.threads);
  if (!built.ok()) return built;
  if (Status s = check_interrupted(); !s.ok()) return s;
  const double n = static_cast<double>(rows);
  const double resident =
      static_cast<double>(resident_bytes()) - static_cast<double>(resident_before);
  return Json{{"engine", order.name},
              {"way", order.way()},
              {"threads", order.threads},
              {"seconds", rounded(seconds, 3)},
              {"inserts_per_s", rounded(n / seconds, 1)},
              {"cpu_share", rounded(share, 3)},
              {"own_bytes_per_vector", rounded(static_cast<double>(engine.bytes()) / n, 1)},
              {"resident_bytes_per_vector", rounded(resident / n, 1)}};
}

/// Adds to the contender's latencies.
Status insert_rows(Contender& contender, std::size_t first, std::size_t count) {
  for (std::size_t row = first; row < first + count; ++row) {
    const float* values = contender.base->row(row).data();
    const Clock::time_point start = Clock::now();
    const Status s = contender.engine->insert(row, values);
    contender.inserts.add(seconds_since(start));
    if (!s.ok()) return s;
    if (Status asked = check_interrupted(); !asked.ok()) return asked;
  }
  return {};
}

/// A build that is timed and then thrown away, with the quality of its graph.
Result<Json> build_in_child(const Order& order, const Dataset& data, const RunOptions& options) {
  return in_child([&]() -> Result<Json> {
    const std::uint64_t before = resident_bytes();
    Contender contender{order.name,
                        make_engine(order.name, shape_of(data, options, order.seed), order.feeding),
                        &base_for(order.name, data),
                        &query_for(order.name, data),
                        {},
                        {}};
    if (contender.engine == nullptr) {
      return Status::invalid_argument(fmt::format("{}: no such engine", order.name));
    }
    const std::size_t rows = data.base.rows - held_out(data, options);
    Result<Json> line = build(*contender.engine, order, data, rows, before);
    if (!line.ok()) return line;
    if (Status s = insert_rows(contender, rows, data.base.rows - rows); !s.ok()) return s;
    const Pass pass =
        run_queries(*contender.engine, *contender.query, data.truth, options.k, kQualityEf);
    (*line)["recall"] = rounded(pass.recall, 5);
    return line;
  });
}

Result<Json> timed_builds(const Dataset& data, const RunOptions& options) {
  Json lines = Json::array();
  if (options.quick) return lines;
  std::vector<Order> orders;
  for (const unsigned threads : options.threads) {
    for (const std::string& name : options.engines) {
      // How builds scale is asked of these two; the others are here for their queries.
      const bool scales = name == "vicinal" || name == "hnswlib";
      if (scales && threads != options.threads.back()) {
        orders.push_back({name, Feeding::kBatch, threads});
      }
      if (name == "vicinal") orders.push_back({name, Feeding::kSingle, threads});
    }
  }
  for (unsigned graph = 1; graph < options.graphs; ++graph) {
    const std::size_t seed = kFirstSeed + graph;
    for (const std::string& name : options.engines) {
      orders.push_back({name, Feeding::kBatch, options.threads.back(), seed});
      if (name == "vicinal") {
        orders.push_back({name, Feeding::kSingle, options.threads.back(), seed});
      }
    }
  }
  for (const Order& order : orders) {
    Result<Json> line = build_in_child(order, data, options);
    if (!line.ok()) return line;
    lines.push_back(std::move(*line));
  }
  return lines;
}

/// The first kSmallRows rows: the index that the growth of insert cost starts from.
Result<Contender> build_small(const Dataset& data, const RunOptions& options) {
  Contender small{
      "vicinal", make_engine("vicinal", shape_of(data, options)), &data.base, &data.query, {}, {}};
  if (small.engine == nullptr) return Status::invalid_argument("vicinal: options refused");
  const Status built =
      small.engine->build(data.base.values.data(), kSmallRows, options.threads.back());
  if (!built.ok()) return built;
  return small;
}

Result<std::vector<Contender>> build_all(const Dataset& data, const RunOptions& options,
                                         Json& builds) {
  std::vector<Contender> all;
  const std::size_t rows = data.base.rows - held_out(data, options);
  for (const std::string& name : options.engines) {
    const std::uint64_t before = resident_bytes();
    all.push_back({name,
                   make_engine(name, shape_of(data, options)),
                   &base_for(name, data),
                   &query_for(name, data),
                   {}});
    if (all.back().engine == nullptr) {
      return Status::invalid_argument(fmt::format("{}: no such engine", name));
    }
    const Order order{name, Feeding::kBatch, options.threads.back()};
    Result<Json> line = build(*all.back().engine, order, data, rows, before);
    if (!line.ok()) return line.status();
    builds.push_back(std::move(*line));
  }
  return all;
}

/// The last rows by each engine alone. Vicinal's first meet, some at a time, a small index of its
/// own, so that the growth of its cost is that of one minute.
Status insert_alone(const Dataset& data, const RunOptions& options, std::size_t first,
                    std::vector<Contender>& all, Json& result) {
  constexpr std::size_t kTurn = 100;
  const std::size_t count = data.base.rows - first;
  for (Contender& contender : all) {
    if (contender.name != "vicinal" || options.quick || data.base.rows < 2 * kSmallRows) {
      if (Status s = insert_rows(contender, first, count); !s.ok()) return s;
      continue;
    }
    Result<Contender> small = build_small(data, options);
    if (!small.ok()) return small.status();
    for (std::size_t done = 0; done < count; done += kTurn) {
      const std::size_t some = std::min(kTurn, count - done);
      if (Status s = insert_rows(*small, kSmallRows + done, some); !s.ok()) return s;
      if (Status s = insert_rows(contender, first + done, some); !s.ok()) return s;
    }
    result["small_inserts"] = {{"rows", kSmallRows},
                               {"p50_us", rounded(small->inserts.percentile_us(0.5), 1)}};
  }
  return {};
}

Status insert_held_out(const Dataset& data, const RunOptions& options, std::vector<Contender>& all,
                       Json& result) {
  constexpr std::size_t kTurn = 50;
  say(fmt::format("{}: single inserts", data.name));
  const std::size_t first = data.base.rows - held_out(data, options);
  const std::size_t last = data.base.rows - held_out(data, options) / 2;
  for (std::size_t row = first; row < last; row += kTurn) {
    for (Contender& contender : all) {
      Status s = insert_rows(contender, row, std::min(kTurn, last - row));
      if (!s.ok()) return s;
    }
  }
  std::vector<Latencies> in_turns;
  in_turns.reserve(all.size());
  for (Contender& contender : all) in_turns.push_back(std::exchange(contender.inserts, {}));
  if (Status s = insert_alone(data, options, last, all, result); !s.ok()) return s;
  Json lines = Json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    lines.push_back({{"engine", all[i].name},
                     {"p50_us", rounded(in_turns[i].percentile_us(0.5), 1)},
                     {"p99_us", rounded(in_turns[i].percentile_us(0.99), 1)},
                     {"mean_us", rounded(in_turns[i].mean_us(), 1)},
                     {"alone_p50_us", rounded(all[i].inserts.percentile_us(0.5), 1)}});
  }
  result["inserts"] = std::move(lines);
  return {};
}

/// Builds in this process learn their recall from the queries.
void add_missing_recall(Json& result) {
  for (Json& line : result["builds"]) {
    if (line.contains("recall")) continue;
    for (const Json& engine : result["queries"]) {
      if (engine["engine"] != line["engine"]) continue;
      for (const Json& point : engine["points"]) {
        if (point["ef"] == kQualityEf) line["recall"] = point["recall"];
      }
    }
  }
}

/// Lines of builds that differ in their seed only become one, of medians.
void join_graphs(Json& builds) {
  Json joined = Json::array();
  for (const Json& line : builds) {
    const auto same = [&](const Json& other) {
      return other["engine"] == line["engine"] && other["way"] == line["way"] &&
             other["threads"] == line["threads"];
    };
    if (std::any_of(joined.begin(), joined.end(), same)) continue;
    joined.push_back(line);
    const auto of_all = [&](const char* key) {
      std::vector<double> values;
      for (const Json& other : builds) {
        if (same(other) && other.contains(key)) values.push_back(other[key].get<double>());
      }
      return values;
    };
    const std::vector<double> recalls = of_all("recall");
    if (recalls.size() <= 1) continue;
    for (const char* key : {"seconds", "inserts_per_s", "cpu_share"}) {
      joined.back()[key] = median(of_all(key));
    }
    joined.back()["recall"] = rounded(median(recalls), 5);
    joined.back()["recalls"] = recalls;
  }
  builds = std::move(joined);
}

}  // namespace

bool takes_raw_rows(const std::string& name) { return name.starts_with("vicinal"); }

std::unique_ptr<Engine> make_engine(const std::string& name, const Shape& shape, Feeding feeding) {
  if (name == "vicinal") return make_vicinal(shape, Quantization::kInt8, feeding);
  if (name == "vicinal-f32") return make_vicinal(shape, Quantization::kNone, feeding);
  if (name == "hnswlib") return make_hnswlib(shape);
  if (name == "faiss") return make_faiss(shape);
  return nullptr;
}

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

Result<Json> measure(const Dataset& data, const RunOptions& options) {
  Result<Json> builds = timed_builds(data, options);
  if (!builds.ok()) return builds;
  Json result{{"dataset", data.name},
              {"rows", data.base.rows},
              {"dimension", data.base.dimension},
              {"queries_count", data.query.rows},
              {"k", options.k},
              {"M", options.M},
              {"ef_construction", options.ef_construction},
              {"held_out", held_out(data, options)},
              {"repetitions", options.repetitions},
              {"truth_computed", data.truth_computed},
              {"quick", options.quick}};
  if (!options.quick) {
    Result<Json> store = measure_store(data, options);
    if (!store.ok()) return store;
    result["store"] = std::move(*store);
    Result<Json> durable = measure_durable(data, options);
    if (!durable.ok()) return durable;
    if (!durable->is_null()) result["durable"] = std::move(*durable);
    Result<Json> copies = measure_copies(data, options);
    if (!copies.ok()) return copies;
    result["copies"] = std::move(*copies);
  }
  result["builds"] = std::move(*builds);
  Result<std::vector<Contender>> all = build_all(data, options, result["builds"]);
  if (!all.ok()) return all.status();
  if (Status s = insert_held_out(data, options, *all, result); !s.ok()) return s;
  result["queries"] = query_in_turns(data, options, options.k, options.ef, *all);
  result["also"] = Json::array();
  for (const std::size_t k : options.also_k) {
    const std::vector<std::size_t> widths = widths_for(k, options.ef);
    result["also"].push_back(
        {{"k", k}, {"queries", query_in_turns(data, options, k, widths, *all)}});
  }
  if (Status s = check_interrupted(); !s.ok()) return s;
  add_missing_recall(result);
  join_graphs(result["builds"]);
  return result;
}

}  // namespace vicinal::bench
