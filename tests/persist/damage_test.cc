// Damaged records of every kind, made through LMDB itself: never a crash, never wrong contents.
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "persist/codec.h"
#include "persist/envelope.h"
#include "persist/fixed_records.h"
#include "persist/range_tail.h"
#include "tests/persist/damaged_store.h"

namespace vicinal::persist::test {
namespace {

class Damage : public DamagedStore {};

TEST_F(Damage, SoundAtFirst) {
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.links, 400u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

TEST_F(Damage, VectorsChunkNamesItsLabelOrIsSetAside) {
  flip("vectors", 1, 12345);
  Outcome outcome = load(false);
  EXPECT_EQ(outcome.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(outcome.report.status().message().find("from 32"), std::string::npos)
      << outcome.report.status().message();
  EXPECT_GE(outcome.failures, 1u);
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->salvaged, 1u);
  EXPECT_EQ(outcome.nodes, 402u - 32u);
}

// A flipped bit in a key makes LMDB miss a chunk: that is known before anybody writes one anew.
TEST_F(Damage, AnAbsentChunk) {
  edit("vectors", [](Transaction& transaction, DatabaseHandle handle) {
    return IndexRange(handle, 1).remove(transaction, Key32(5).bytes());
  });
  const Status status = load(false).report.status();
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_NE(status.message().find("labels of index 'text' from 160"), std::string::npos)
      << status.message();
}

TEST_F(Damage, NodesRecord) {
  flip("nodes", 2, 77);
  EXPECT_EQ(load(false).report.status().code(), StatusCode::kCorruption);
  const Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 402u - 64u);
  EXPECT_EQ(outcome.report->salvaged, 1u);
}

TEST_F(Damage, LinksRecordIsLeftOutAndCounted) {
  flip("links", 3, 50);
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.report->damaged_links, 1u);
  EXPECT_EQ(outcome.report->messages.size(), 1u);
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.links, 392u);
  EXPECT_EQ(outcome.failures, 0u) << "it is gone: " << outcome.message;
  EXPECT_EQ(load(false).report->damaged_links, 0u);
}

// What is damaged in its key is met by no number: nothing is lost without a word.
TEST_F(Damage, RecordsUnderAWrongKey) {
  const auto move = [&](const std::string& database, std::uint32_t from, std::uint32_t to) {
    edit(database, [&](Transaction& transaction, DatabaseHandle handle) -> Status {
      const IndexRange range(handle, 1);
      Bytes found;
      EXPECT_TRUE(*range.get(transaction, Key32(from).bytes(), &found));
      const std::vector<std::byte> value(found.begin(), found.end());
      Status s = range.remove(transaction, Key32(from).bytes());
      return s.ok() ? range.put(transaction, Key32(to).bytes(), value) : s;
    });
  };
  move("links", 7, 7 | 1u << 22);
  Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->damaged_links, 1u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;

  move("nodes", 3, 3 | 1u << 24);
  outcome = load(false);
  EXPECT_EQ(outcome.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(outcome.report.status().message().find("7 node blocks, 6 of them below block 7"),
            std::string::npos)
      << outcome.report.status().message();
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->salvaged, 1u);
  EXPECT_EQ(outcome.nodes, 402u - 64u);
  outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u - 64u);

  move("vectors", 1, 1 | 1u << 20);
  EXPECT_EQ(load(false).report.status().code(), StatusCode::kCorruption);
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u - 64u - 32u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

TEST_F(Damage, ThreadsReportWhatOneThreadReports) {
  for (const int nth : {0, 3, 17, 18, 49}) flip("links", nth, 50);
  const std::string damaged = contents();
  const Outcome one = load(false);
  set_contents(damaged);
  const Outcome three = load(false, true);
  ASSERT_TRUE(one.report.ok());
  ASSERT_TRUE(three.report.ok());
  EXPECT_EQ(three.report->damaged_links, 5u);
  EXPECT_EQ(three.report->messages, one.report->messages);
  EXPECT_EQ(three.nodes, 402u);
  EXPECT_EQ(three.links, 360u);

  flip("vectors", 12, 4711);
  flip("vectors", 1, 12345);
  EXPECT_EQ(load(false, true).report.status().to_string(), load(false).report.status().to_string());
  const Outcome salvaged = load(true, true);
  ASSERT_TRUE(salvaged.report.ok()) << salvaged.report.status().to_string();
  EXPECT_EQ(salvaged.report->salvaged, 2u);
  EXPECT_EQ(salvaged.nodes, 402u - 32u - 16u);
  EXPECT_EQ(load(false).nodes, salvaged.nodes);
}

TEST_F(Damage, JournalEntry) {
  flip("journal", 0, 999);
  const Outcome failed = load(false);
  EXPECT_EQ(failed.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(failed.report.status().message().find("journal entry 3"), std::string::npos)
      << failed.report.status().message();
  const Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 401u);
  EXPECT_EQ(outcome.report->salvaged, 1u);
}

// What was set aside is gone for good: the store is sound afterwards and takes writes.
TEST_F(Damage, SalvageMends) {
  flip("vectors", 1, 12345);
  flip("nodes", 5, 77);
  flip("journal", 0, 999);
  const Outcome first = load(true);
  ASSERT_TRUE(first.report.ok());
  EXPECT_EQ(first.failures, 0u) << first.message;
  const Outcome second = load(false);
  ASSERT_TRUE(second.report.ok()) << second.report.status().to_string();
  EXPECT_EQ(second.nodes, first.nodes);
}

// A page of some moment before: the chunk is sound, and has rows of others beside those that it lacks.
TEST_F(Damage, SalvageKeepsTheRowsOfAShortChunk) {
  std::vector<std::byte> before;
  const auto chunk = [&](const std::function<Status(const IndexRange&, Transaction&)>& use) {
    edit("vectors", [&](Transaction& transaction, DatabaseHandle handle) {
      return use(IndexRange(handle, 1), transaction);
    });
  };
  chunk([&](const IndexRange& range, Transaction& transaction) {
    Bytes found;
    EXPECT_TRUE(*range.get(transaction, Key32(12).bytes(), &found));
    before.assign(found.begin(), found.end());
    return Status();
  });
  {
    auto store = open_store(path_, fast());
    auto index = reopen(*store);
    std::vector<graph::NodeId> nodes;
    std::vector<Label> labels;
    for (std::uint32_t i = 0; i < 4; ++i) {
      nodes.push_back(graph::NodeId{402 + i});
      labels.push_back(5000 + i);
    }
    const std::vector<graph::Level> levels(4);
    const std::vector<graph::NodeId> replaced(4, graph::kNoNode);
    const std::vector<float> row = make_row(1, 1, kDimension);
    const Batch batch{nodes,
                      labels,
                      levels,
                      replaced,
                      [&](std::size_t) { return reinterpret_cast<const std::byte*>(row.data()); },
                      {},
                      {}};
    const Result<Sequence> sequence = index->append_batch(batch);
    ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
    index->finish(*sequence);
  }
  ASSERT_EQ(load(false).nodes, 406u);
  chunk([&](const IndexRange& range, Transaction& transaction) {
    return range.put(transaction, Key32(12).bytes(), before);
  });
  EXPECT_EQ(load(false).report.status().code(), StatusCode::kCorruption);
  Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u);
  outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

TEST_F(Damage, MetaRecords) {
  flip("meta", 0, 3);  // options
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
  flip("meta", 0, 3);
  flip("meta", 1, 3);  // state
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
}

TEST_F(Damage, CatalogRecords) {
  flip("catalog", 1, 3);
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
  flip("catalog", 0, 3);
  EXPECT_EQ(StoreFile::open(path_, {}).status().code(), StatusCode::kCorruption);
}

// A name that cannot be one is no answer, and not an error of the caller's either.
TEST_F(Damage, NamesInTheCatalog) {
  edit("catalog", [](Transaction& transaction, DatabaseHandle handle) -> Status {
    constexpr std::string_view kName = "text";
    constexpr std::string_view kDamaged = "te\xF8t";
    Bytes found;
    EXPECT_TRUE(*transaction.get(handle, std::as_bytes(std::span(kName)), &found));
    const std::vector<std::byte> entry(found.begin(), found.end());
    Status s = transaction.remove(handle, std::as_bytes(std::span(kName)));
    return s.ok() ? transaction.put(handle, std::as_bytes(std::span(kDamaged)), entry) : s;
  });
  const auto store = open_store(path_, fast());
  const auto names = store->index_names();
  EXPECT_EQ(names.status().code(), StatusCode::kCorruption) << names.status().to_string();
  EXPECT_NE(names.status().message().find("damaged name"), std::string::npos);
}

// -- What has right checksums, and numbers that no index comes to ---------------------------------

/// Stores an entry that says nothing under `key`, behind a right checksum, and counts it.
Status put_stray(Transaction& transaction, DatabaseHandle handle, Bytes key) {
  const IndexRange journal(handle, 1);
  Operation mark;
  mark.kind = OperationKind::kFree;
  RecordBuffer record = encode(mark);
  seal({RecordKind::kJournal, 1, key}, &record);
  const Status s = journal.put(transaction, key, record);
  return s.ok() ? write_tail(transaction, journal) : s;
}

// The sequence after the last one was 0 again: later entries stood before those there.
TEST_F(Damage, SequencesDoNotBeginAnew) {
  const std::vector<std::byte> odd(9, std::byte{0x7F});
  for (const Sequence sequence : {~Sequence{0}, ~Sequence{0} - 1, kMostSequence + 1, Sequence{0}}) {
    const bool by_number = sequence != 0;
    SCOPED_TRACE(sequence);
    const Key64 number(sequence);
    edit("journal", [&](Transaction& transaction, DatabaseHandle handle) {
      return put_stray(transaction, handle, by_number ? number.bytes() : Bytes(odd));
    });
    Outcome outcome = load(false);
    EXPECT_EQ(outcome.report.status().code(), StatusCode::kCorruption);
    EXPECT_NE(outcome.report.status().message().find("has the key"), std::string::npos)
        << outcome.report.status().message();
    EXPECT_GE(outcome.failures, 1u);
    outcome = load(true);
    ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
    EXPECT_EQ(outcome.report->salvaged, 1u);
    EXPECT_EQ(outcome.nodes, 402u);
    EXPECT_EQ(outcome.failures, 0u) << outcome.message;
    outcome = load(false);
    ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
    EXPECT_EQ(outcome.nodes, 402u);
  }
}

TEST_F(Damage, NumbersBeyondTheLast) {
  std::optional<StateRecord> sound;
  const auto change_state = [&](const std::function<void(StateRecord&)>& change) {
    edit("meta", [&](Transaction& transaction, DatabaseHandle handle) {
      const IndexRange meta(handle, 1);
      StateRecord state;
      if (!sound) {
        Status s = read_record(transaction, meta, state_id(1), &state);
        if (!s.ok()) return s;
        sound = state;
      }
      state = *sound;
      change(state);
      return write_record(transaction, meta, state_id(1), state);
    });
  };
  change_state([](StateRecord& state) { state.applied = ~Sequence{0}; });
  Outcome outcome = load(true);
  EXPECT_EQ(outcome.opened.code(), StatusCode::kCorruption);
  EXPECT_NE(outcome.opened.message().find("last sequence out of range"), std::string::npos)
      << outcome.opened.message();
  change_state([](StateRecord&) {});
  EXPECT_TRUE(load(false).report.ok());

  edit("catalog", [](Transaction& transaction, DatabaseHandle handle) {
    return write_record(transaction, handle, entry_id(text_key("text")), CatalogEntry{~0u});
  });
  EXPECT_EQ(load(true).opened.code(), StatusCode::kCorruption);
}

// The group after the last one was 0 again, and every group new.
TEST_F(Damage, LinksUnderTheLastKeyDoNotEndCheckpoints) {
  edit("links", [](Transaction& transaction, DatabaseHandle handle) {
    const std::array<std::byte, 40> nonsense{};
    return IndexRange(handle, 1).put(transaction, Key32(~0u).bytes(), nonsense);
  });
  auto store = open_store(path_, fast());
  auto index = reopen(*store);
  MemoryIndex model(index.get(), 1);
  model.batch(3000, 20);
  const auto report = model.checkpoint();
  EXPECT_TRUE(report.ok()) << report.status().to_string();
}

TEST_F(Damage, AnIdInUseIsGivenToNobody) {
  edit("catalog", [](Transaction& transaction, DatabaseHandle handle) {
    return write_record(transaction, handle, store_id(), StoreRecord{kStoreFormat, 1});
  });
  {
    const auto store = open_store(path_, fast());
    const auto made = store->create_index("second", options_of(kDimension));
    EXPECT_EQ(made.status().code(), StatusCode::kCorruption) << made.status().to_string();
    EXPECT_EQ(store->index_names()->size(), 1u);
  }
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

}  // namespace
}  // namespace vicinal::persist::test
