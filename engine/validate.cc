// validate: the graph's own check, then labels (E2, E3), then what is stored.
#include <fmt/format.h>

#include <cstring>

#include "engine/base/check.h"
#include "engine/index_core.h"

namespace vicinal::engine {
namespace {

using graph::NodeId;
using graph::NodeState;

void note(ValidateReport& report, std::size_t max_messages, std::string message) {
  ++report.problems;
  if (report.messages.size() < max_messages) report.messages.push_back(std::move(message));
}

}  // namespace

Result<ValidateReport> IndexCore::validate(const ValidateOptions& options) const {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  ValidateReport report;
  Reporter reporter(options.progress, "validate");
  VICINAL_RETURN_IF_ERROR(graph_->validate(
      report, options.max_messages,
      [&](std::uint64_t done, std::uint64_t total) { return reporter(done, total); }));
  validate_labels(report, options.max_messages);
  if (options.deep && records_ != nullptr) {
    VICINAL_RETURN_IF_ERROR(validate_records(report, options));
  }
  if (reporter.cancelled()) return Status::cancelled("validate cancelled");
  return report;
}

void IndexCore::validate_labels(ValidateReport& report, std::size_t max_messages) const {
  const auto wrong = [&](std::string message) {
    ++report.label_errors;
    note(report, max_messages, std::move(message));
  };
  labels_.for_each([&](NodeId node) {
    const NodeState state = graph_->state(node);
    if (state != NodeState::kFree) return;
    wrong(fmt::format("E3: label {} leads to node {}, which is not in use", graph_->label(node),
                      graph::raw(node)));
  });
  const graph::Moment moment(*graph_);
  const std::uint64_t limit = graph_->node_limit();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (!moment.counts(node) || moment.stood(labels_.find(graph_->label(node))) == node) continue;
    wrong(fmt::format("E2: label {} does not lead to its live node {}", graph_->label(node), i));
  }
}

Status IndexCore::validate_records(ValidateReport& report, const ValidateOptions& options) const {
  std::vector<std::string> messages;
  const Result<std::uint64_t> failures = records_->verify(&messages);
  if (!failures) return failures.status();
  report.record_errors += *failures;
  report.problems += *failures;
  for (std::string& message : messages) {
    if (report.messages.size() < options.max_messages)
      report.messages.push_back(std::move(message));
  }
  if (!graph_->config().keep_vectors) return {};
  if (const Status loaded = load_vectors(0, options.progress); !loaded.ok()) {
    // A damaged vector is among what verify() counted.
    return loaded.code() == StatusCode::kCorruption ? Status() : loaded;
  }
  const Result<std::unique_ptr<persist::RowReader>> reader = records_->row_reader();
  if (!reader) return reader.status();
  const graph::Moment moment(*graph_);
  const std::uint64_t limit = graph_->node_limit();
  const std::size_t bytes = options_.dimension * sizeof(float);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    // A fresh node's row stands in the journal; its slot in the chunks may hold a former one.
    if (!moment.counts(node) || fresh_.contains(node)) continue;
    const float* const stored = (*reader)->row(node);
    if (stored != nullptr && std::memcmp(stored, graph_->vector(node), bytes) == 0) continue;
    if (fresh_.contains(node)) continue;
    ++report.record_errors;
    note(report, options.max_messages,
         fmt::format("label {} (node {}): the stored vector {}", graph_->label(node), i,
                     stored == nullptr ? "is missing" : "differs from the one in memory"));
  }
  return {};
}

}  // namespace vicinal::engine
