#include "engine/batch_plan.h"

#include <algorithm>
#include <numeric>

namespace vicinal::engine {
namespace {

/// The last row of every label, in row order.
std::vector<std::size_t> last_rows(std::span<const Label> labels) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return labels[a] != labels[b] ? labels[a] < labels[b] : a > b;
  });
  order.erase(std::unique(order.begin(), order.end(),
                          [&](std::size_t a, std::size_t b) { return labels[a] == labels[b]; }),
              order.end());
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

void BatchPlan::choose_winners(std::span<const Label> row_labels) {
  winners = last_rows(row_labels);
  for (const std::size_t i : winners) winner_labels.push_back(row_labels[i]);
  result.repeated = row_labels.size() - winners.size();
}

void BatchPlan::insert(std::size_t row_index, Label label, graph::NodeId old) {
  rows.push_back(row_index);
  labels.push_back(label);
  replaced.push_back(old);
  ++(old == graph::kNoNode ? result.inserted : result.updated);
}

void BatchPlan::insert_again(std::size_t row_index, Label label, graph::NodeId old) {
  rows.push_back(row_index);
  labels.push_back(label);
  replaced.push_back(old);
  ++result.resurrected;
}

void BatchPlan::resurrect(std::size_t row_index, Label label, graph::NodeId old) {
  resurrected_rows.push_back(row_index);
  resurrected_labels.push_back(label);
  resurrected.push_back(old);
}

void BatchPlan::insert_condemned(std::size_t first) {
  for (std::size_t i = first; i < resurrected.size(); ++i) {
    insert_again(resurrected_rows[i], resurrected_labels[i], resurrected[i]);
  }
  result.resurrected += first;
  resurrected_rows.resize(first);
  resurrected_labels.resize(first);
  resurrected.resize(first);
}

}  // namespace vicinal::engine
