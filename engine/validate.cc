// validate: the graph's own check, then labels (E2, E3), then what is stored.
#include <fmt/format.h>

#include <cstring>

#include "engine/base/check.h"
#include "engine/progress.h"
#include "engine/reader.h"

namespace vicinal::engine {
namespace {

using graph::NodeId;
using graph::NodeState;

void note(ValidateReport& report, std::size_t max_messages, std::string message) {
  ++report.problems;
  if (report.messages.size() < max_messages) report.messages.push_back(std::move(message));
}

}  // namespace

Result<ValidateReport> Reader::validate(const ValidateOptions& options) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  ValidateReport report;
  Reporter reporter(options.progress, "validate");
  VICINAL_RETURN_IF_ERROR(state_.graph->validate(
      report, options.max_messages,
      [&](std::uint64_t done, std::uint64_t total) { return reporter(done, total); }));
  validate_labels(report, options.max_messages);
  if (options.deep && state_.records != nullptr) {
    VICINAL_RETURN_IF_ERROR(validate_records(report, options));
  }
  if (reporter.cancelled()) return Status::cancelled("validate cancelled");
  reporter.finish();
  return report;
}

void Reader::validate_labels(ValidateReport& report, std::size_t max_messages) const {
  const auto wrong = [&](std::string message) {
    ++report.label_errors;
    note(report, max_messages, std::move(message));
  };
  state_.labels.for_each([&](NodeId node) {
    const NodeState state = state_.graph->state(node);
    if (state != NodeState::kFree) return;
    wrong(fmt::format("E3: label {} leads to node {}, which is not in use",
                      state_.graph->label(node), graph::raw(node)));
  });
  const graph::Moment moment(*state_.graph);
  const std::uint64_t limit = state_.graph->node_limit();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (!moment.counts(node)) continue;
    const Label label = state_.graph->label(node);  // of a slot that nobody writes: it counts
    if (moment.stood(state_.labels.find(label)) == node) continue;
    wrong(fmt::format("E2: label {} does not lead to its live node {}", label, i));
  }
}

Status Reader::validate_records(ValidateReport& report, const ValidateOptions& options) const {
  std::vector<std::string> messages;
  const Result<std::uint64_t> failures = state_.records->verify(&messages);
  if (!failures || *failures > 0) {
    if (Status dropped = state_.dropped_status(); !dropped.ok()) return dropped;
    if (!failures) return failures.status();
  }
  report.record_errors += *failures;
  report.problems += *failures;
  for (std::string& message : messages) {
    if (report.messages.size() < options.max_messages)
      report.messages.push_back(std::move(message));
  }
  if (!state_.graph->config().keep_vectors) return {};
  const Result<std::unique_ptr<persist::RowReader>> reader = state_.records->row_reader();
  if (!reader) return reader.status();
  const graph::Moment moment(*state_.graph);
  const std::uint64_t limit = state_.graph->node_limit();
  const std::size_t bytes = state_.row_bytes();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    // A fresh node's row stands in the journal; its slot in the chunks may hold a former one.
    if (!moment.counts(node) || state_.fresh->contains(node)) continue;
    const std::byte* const stored = (*reader)->row(node);
    if (stored != nullptr && std::memcmp(stored, state_.graph->row(node), bytes) == 0) continue;
    if (state_.fresh->contains(node)) continue;
    ++report.record_errors;
    note(report, options.max_messages,
         fmt::format("label {} (node {}): the stored vector {}", state_.graph->label(node), i,
                     stored == nullptr ? "is missing" : "differs from the one in memory"));
  }
  return report.record_errors == 0 ? Status() : state_.dropped_status();
}

}  // namespace vicinal::engine
