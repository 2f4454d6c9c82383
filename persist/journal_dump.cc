#include "persist/journal_dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "persist/codec.h"
#include "persist/journal.h"

namespace vicinal::persist {
namespace {

const char* operation_name(OperationKind kind) {
  switch (kind) {
    case OperationKind::kUpsert:
      return "upsert";
    case OperationKind::kErase:
      return "erase";
    case OperationKind::kResurrect:
      return "resurrect";
    case OperationKind::kFree:
      return "free";
    case OperationKind::kBatch:
      return "batch";
    case OperationKind::kEraseBatch:
      return "erase_batch";
  }
  return "unknown";
}

std::string id_or_null(graph::NodeId node) {
  return node == graph::kNoNode ? "null" : std::to_string(graph::raw(node));
}

std::string id_list(std::span<const graph::NodeId> nodes) {
  std::string text = "[";
  for (const graph::NodeId node : nodes) {
    if (text.size() > 1) text += ',';
    text += id_or_null(node);
  }
  return text + "]";
}

std::string entry_json(Sequence sequence, const JournalEntry& e) {
  std::string text = fmt::format(R"({{"seq":{},"op":"{}")", sequence, operation_name(e.kind));
  switch (e.kind) {
    case OperationKind::kUpsert:
      text += fmt::format(R"(,"label":{},"node":{},"level":{},"replaced":{})", e.label,
                          graph::raw(e.node), e.level, id_or_null(e.replaced));
      break;
    case OperationKind::kErase:
    case OperationKind::kResurrect:
      text += fmt::format(R"(,"label":{},"node":{})", e.label, graph::raw(e.node));
      break;
    case OperationKind::kFree:
      text += fmt::format(R"(,"nodes":{})", id_list(e.nodes));
      break;
    case OperationKind::kEraseBatch:
      text +=
          fmt::format(R"(,"labels":[{}],"nodes":{})", fmt::join(e.labels, ","), id_list(e.nodes));
      break;
    case OperationKind::kBatch:
      text += fmt::format(R"(,"labels":[{}],"nodes":{},"levels":[{}],"replaced":{})",
                          fmt::join(e.labels, ","), id_list(e.nodes), fmt::join(e.levels, ","),
                          id_list(e.replaced_nodes));
      text += fmt::format(R"(,"resurrected":{},"resurrected_labels":[{}])", id_list(e.resurrected),
                          fmt::join(e.resurrected_labels, ","));
      break;
  }
  return text + "}";
}

}  // namespace

Status for_each_journal_entry(StoredIndex& index,
                              const std::function<bool(const std::string&)>& visit) {
  // Some at a time: `visit` may write, and growing the map waits for a snapshot that is pinned. Not
  // beyond what is there now, or what it writes would go on for ever.
  constexpr std::size_t kAtOnce = 1024;
  std::vector<std::string> lines;
  Sequence last = 0;
  Sequence from = 0;
  const auto read_some = [&]() -> Status {
    Result<ReadTransaction> transaction = index.environment.read();
    if (!transaction) return transaction.status();
    if (from == 0) {
      const Result<Sequence> found = last_sequence(**transaction, index.databases.journal);
      if (!found) return found.status();
      last = *found;
    }
    const auto read_entry = [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
      if (damage.ok() && sequence > last) return {};
      if (lines.size() == kAtOnce) return Status::cancelled("");
      VICINAL_RETURN_IF_ERROR(damage);
      JournalEntry entry;
      VICINAL_RETURN_IF_ERROR(decode(payload, index.layout.row, &entry));
      lines.push_back(entry_json(sequence, entry));
      from = sequence + 1;
      return {};
    };
    return walk_journal(**transaction, index.databases.journal, read_entry, from);
  };
  for (;;) {
    lines.clear();
    Status status = read_some();
    for (const std::string& line : lines) {
      if (!visit(line)) return {};
    }
    if (status.code() != StatusCode::kCancelled) return status;
  }
}

}  // namespace vicinal::persist
