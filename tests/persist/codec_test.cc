// The codec: round trips, hostile payloads, and envelopes that notice every flipped bit.
#include "persist/codec.h"

#include <cstring>
#include <random>
#include <vector>

#include "persist/chunks.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

Bytes payload_of(const RecordBuffer& record) { return Bytes(record).subspan(kEnvelopeBytes); }

LinkGroup sample_group() {
  LinkGroup group(kNodesPerLinkGroup);
  group[0] = {{graph::NodeId{7}, 1, {graph::NodeId{7}, graph::NodeId{9}}}};
  group[3] = {{graph::kNoNode, 0, {}}, {graph::NodeId{1}, 0, {graph::NodeId{1}}}};
  return group;
}

RecordBuffer sample_batch() {
  const std::vector<graph::NodeId> nodes = {graph::NodeId{1}, graph::NodeId{2}};
  const std::vector<Label> labels = {10, 20};
  const std::vector<graph::Level> levels = {0, 3};
  const std::vector<graph::NodeId> replaced = {graph::kNoNode, graph::NodeId{0}};
  const std::vector<graph::NodeId> resurrected = {graph::NodeId{5}};
  const std::vector<Label> resurrected_labels = {50};
  return encode(BatchView{nodes, labels, levels, replaced, resurrected, resurrected_labels});
}

RecordBuffer sample_upsert() {
  static const std::vector<float> row = {1.5f, -2.0f, 3.25f};
  Operation op;
  op.label = 42;
  op.node = graph::NodeId{6};
  op.level = 2;
  op.row = std::as_bytes(std::span(row));
  return encode(op);
}

TEST(Codec, RoundTrips) {
  LinkGroup group;
  ASSERT_TRUE(decode(payload_of(encode(sample_group())), &group).ok());
  EXPECT_EQ(group, sample_group());

  const NodeBlock block = {
      {1, 2, graph::NodeState::kLive}, {}, {3, 0, graph::NodeState::kTombstone}};
  NodeBlock block_back;
  ASSERT_TRUE(decode(payload_of(encode(block)), &block_back).ok());
  EXPECT_EQ(block_back, block);

  OptionsRecord options;
  options.options = {65536, Metric::kInnerProduct, 5, 6, 7, Quantization::kNone, ~0ull};
  options.rows_per_chunk = rows_per_chunk_for(65536);
  OptionsRecord options_back;
  ASSERT_TRUE(decode(payload_of(encode(options)), &options_back).ok());
  EXPECT_EQ(options_back.options, options.options);

  JournalEntry entry;
  ASSERT_TRUE(decode(payload_of(sample_upsert()), 3, &entry).ok());
  EXPECT_EQ(entry.label, 42u);
  const std::vector<float> row = {1.5f, -2.0f, 3.25f};
  EXPECT_TRUE(std::ranges::equal(entry.row, std::as_bytes(std::span(row))));
  EXPECT_EQ(entry.replaced, graph::kNoNode);
  EXPECT_EQ(decode(payload_of(sample_upsert()), 4, &entry).code(), StatusCode::kCorruption);

  ASSERT_TRUE(decode(payload_of(sample_batch()), 3, &entry).ok());
  EXPECT_EQ(entry.labels, (std::vector<Label>{10, 20}));
  EXPECT_EQ(entry.levels, (std::vector<graph::Level>{0, 3}));
  EXPECT_EQ(entry.resurrected, std::vector<graph::NodeId>{graph::NodeId{5}});
}

TEST(Codec, RowsPerChunk) {
  EXPECT_EQ(rows_per_chunk_for(384), 32u);
  EXPECT_EQ(rows_per_chunk_for(1), 16384u);
  EXPECT_EQ(rows_per_chunk_for(65536), 1u);
  EXPECT_EQ(rows_per_chunk_for(300), 32u);
  EXPECT_EQ(rows_per_chunk_for({384, Storage::kFloat16}), 64u);
  EXPECT_EQ(rows_per_chunk_for({384, Storage::kInt8}), 128u);  // of 388 bytes
}

// Every payload that a damaged or hostile file may hold ends with a Status: sanitizers watch.
TEST(Codec, HostilePayloadsAnswerWithAStatus) {
  const std::vector<RecordBuffer> samples = {encode(sample_group()), encode(NodeBlock(64)),
                                             encode(StateRecord{}), sample_upsert(),
                                             sample_batch()};
  std::mt19937_64 random(11);
  std::uint64_t refused = 0;
  for (int i = 0; i < 40000; ++i) {
    RecordBuffer bytes = samples[random() % samples.size()];
    bytes.erase(bytes.begin(), bytes.begin() + kEnvelopeBytes);
    for (std::uint64_t n = random() % 4; n != 0 && !bytes.empty(); --n) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] ^= static_cast<std::byte>(1u << (random() % 8));
          break;
        case 1:
          bytes[at] = std::byte{0xFF};
          break;
        case 2:
          bytes.resize(at);
          break;
        default:
          bytes.push_back(static_cast<std::byte>(random()));
      }
    }
    LinkGroup group;
    NodeBlock block;
    StateRecord state;
    JournalEntry entry;
    refused += decode(bytes, &group).ok() ? 0 : 1;
    refused += decode(bytes, &block).ok() ? 0 : 1;
    refused += decode(bytes, &state).ok() ? 0 : 1;
    refused += decode(bytes, 3, &entry).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 40000u);
}

TEST(Codec, P3LyingLengthsAllocateNothing) {
  RecordBuffer record = sample_batch();
  const std::uint64_t lie = 1ull << 61;
  std::memcpy(record.data() + kEnvelopeBytes + 1, &lie, sizeof lie);
  JournalEntry entry;
  const Status status = decode(payload_of(record), 3, &entry);
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(entry.nodes.capacity(), 0u);
}

TEST(Envelope, P3EveryFlippedBitIsNoticed) {
  const Key32 key(9);
  const RecordId id{RecordKind::kLinks, 4, key.bytes()};
  RecordBuffer record = encode(sample_group());
  seal(id, &record);
  ASSERT_TRUE(unseal(id, record).ok());
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    record[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    EXPECT_EQ(unseal(id, record).status().code(), StatusCode::kCorruption) << bit;
    record[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  const Key32 other(10);
  EXPECT_FALSE(unseal({RecordKind::kLinks, 4, other.bytes()}, record).ok()) << "another key";
  EXPECT_FALSE(unseal({RecordKind::kLinks, 5, key.bytes()}, record).ok()) << "another index";
  EXPECT_FALSE(unseal({RecordKind::kNodes, 4, key.bytes()}, record).ok()) << "another kind";
}

TEST(Envelope, ASoundRecordOfAnotherVersionSaysSo) {
  const Key32 key(1);
  const RecordId id{RecordKind::kNodes, 1, key.bytes()};
  RecordBuffer record = encode(NodeBlock(3));
  seal(id, &record);
  record[2] = std::byte{9};
  const std::uint64_t checksum = record_checksum(id, Bytes(record).first(8), payload_of(record));
  std::memcpy(record.data() + 8, &checksum, 8);
  EXPECT_EQ(unseal(id, record).status().code(), StatusCode::kFormatVersion);
}

}  // namespace
}  // namespace vicinal::persist::test
