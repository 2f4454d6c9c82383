#include "bench/vicinal_bench/live_recall.h"

#include <algorithm>

#include "bench/vicinal_bench/exact.h"

namespace vicinal::bench {
namespace {

bool has(const std::vector<Label>& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

/// What of `answer` was to be found, by one query's ranking.
Verdict::Share judge_one(const History& history, std::span<const std::uint32_t> ranking,
                         const Answer& answer, std::size_t k) {
  Verdict::Share share;
  // An update gives its label two rows; it takes one place.
  std::vector<Label> placed;
  for (const std::uint32_t row : ranking) {
    if (placed.size() == k) break;
    const History::Holder holder = history.holder(row, answer.begin, answer.end);
    const bool live = holder.presence == Presence::kLive;
    const bool found = holder.presence != Presence::kAbsent && has(answer.labels, holder.label);
    if (!live && (!found || has(placed, holder.label))) continue;
    placed.push_back(holder.label);
    if (!live) continue;
    share.wanted += 1;
    share.found += found ? 1 : 0;
  }
  return share;
}

}  // namespace

Ranking rank(const matrix::Matrix& base, const std::vector<std::uint32_t>& rows,
             const matrix::Matrix& query, Metric metric, std::size_t k) {
  matrix::Matrix part;
  part.dimension = base.dimension;
  part.rows = rows.size();
  part.values.reserve(rows.size() * base.dimension);
  for (const std::uint32_t row : rows) {
    const std::span<const float> values = base.row(row);
    part.values.insert(part.values.end(), values.begin(), values.end());
  }
  // Beside a batch ten times the index one row in eleven is known to be live.
  const std::size_t depth = 20 * k + 100;
  const ExactResult exact = exact_neighbors(part, query, metric, depth, 0);
  Ranking ranking;
  ranking.columns = exact.columns;
  ranking.rows.reserve(exact.rows.size());
  for (const std::int32_t at : exact.rows) {
    ranking.rows.push_back(rows[static_cast<std::size_t>(at)]);
  }
  return ranking;
}

Verdict judge(const History& history, const Ranking& ranking, const Answers& answers,
              std::size_t k) {
  Verdict verdict;
  verdict.by_query.resize(answers.size());
  const std::span<const std::uint32_t> rows(ranking.rows);
  for (std::size_t q = 0; q < answers.size(); ++q) {
    for (const Answer& answer : answers[q]) {
      const Verdict::Share share =
          judge_one(history, rows.subspan(q * ranking.columns, ranking.columns), answer, k);
      verdict.by_query[q].found += share.found;
      verdict.by_query[q].wanted += share.wanted;
      ++verdict.judged;
      for (const Label label : answer.labels) {
        const Presence presence = history.label(label, answer.begin, answer.end);
        if (presence == Presence::kAbsent) ++verdict.dead_hits;
      }
    }
  }
  return verdict;
}

double recall(const Verdict& verdict, const Verdict& other,
              const std::vector<std::uint64_t>& only) {
  // A mean of the queries' recalls: how often each was asked must not weigh.
  double sum = 0;
  double queries = 0;
  const auto add = [&](std::uint64_t q) {
    const Verdict::Share& share = verdict.by_query[q];
    if (share.wanted == 0 || other.by_query[q].wanted == 0) return;
    sum += share.found / share.wanted;
    queries += 1;
  };
  for (const std::uint64_t q : only) add(q);
  if (only.empty()) {
    for (std::uint64_t q = 0; q < verdict.by_query.size(); ++q) add(q);
  }
  return queries > 0 ? sum / queries : 1;
}

}  // namespace vicinal::bench
