#include "persist/set_aside.h"

#include <array>

#include "persist/codec.h"
#include "persist/journal.h"
#include "persist/node_blocks.h"

namespace vicinal::persist {
namespace {

template <typename Key, typename Numbers>
Status remove_all(Transaction& transaction, const IndexRange& range, const Numbers& numbers) {
  for (const auto number : numbers) {
    const Key key(number);
    if (Status s = range.remove(transaction, key.bytes()); !s.ok()) return s;
  }
  return {};
}

Status remove_records(const SetAside& what, Transaction& transaction,
                      const IndexDatabases& databases) {
  Status status = remove_all<Key64>(transaction, databases.journal, what.entries);
  if (status.ok() && what.strays) status = remove_strays(transaction, databases.journal);
  if (status.ok()) status = remove_all<Key32>(transaction, databases.nodes, what.blocks);
  if (status.ok()) status = remove_all<Key32>(transaction, databases.vectors, what.chunks);
  const std::array wrong_keys = {std::pair(databases.nodes, &what.node_keys),
                                 std::pair(databases.vectors, &what.chunk_keys),
                                 std::pair(databases.links, &what.link_keys)};
  for (const auto& [range, keys] : wrong_keys) {
    for (const std::vector<std::byte>& key : *keys) {
      if (status.ok()) status = range.remove(transaction, key);
    }
  }
  // By hand so far: from here on they count (R4).
  if (status.ok()) status = write_tail(transaction, databases.journal);
  return status.ok() ? write_tail(transaction, databases.nodes) : status;
}

}  // namespace

Status remove_for_good(const SetAside& what, Transaction& transaction,
                       const IndexDatabases& databases, SequenceLedger& ledger) {
  if (Status s = remove_records(what, transaction, databases); !s.ok()) return s;
  NodeBlockEditor nodes(transaction, databases.nodes);
  for (const graph::NodeId node : what.nodes) {
    if (Status s = nodes.set_state(node, graph::NodeState::kFree); !s.ok()) return s;
  }
  if (Status s = nodes.flush(); !s.ok()) return s;
  CountedRange journal(transaction, databases.journal);
  for (const auto& [sequence, entry] : what.batches) {
    RecordBuffer record =
        encode(BatchView{entry.nodes, entry.labels, entry.levels, entry.replaced_nodes,
                         entry.resurrected, entry.resurrected_labels});
    Status s = put_entry(journal, sequence, record, PutMode::kReplace);
    if (!s.ok()) return s;
  }
  if (what.orphans.empty()) return journal.flush();
  Operation erase;
  erase.kind = OperationKind::kEraseBatch;
  erase.nodes = what.orphans;
  erase.labels = what.orphan_labels;
  const Sequence sequence = ledger.allot();
  ledger.finish(sequence);
  RecordBuffer record = encode(erase);
  Status s = put_entry(journal, sequence, record, PutMode::kNew);
  return s.ok() ? journal.flush() : s;
}

}  // namespace vicinal::persist
