// Stores and streams of float16 and int8 vectors open, and what is written now are the same bytes as
// then.
//
// Components are whole numbers, the largest of each vector 127, so that what is stored is exact and so
// is every distance, whatever the CPU. Made with VICINAL_WRITE_GOLDEN=1; never made anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

const std::string kFolder = VICINAL_GOLDEN "/storage-v1/";
constexpr std::uint32_t kRow = 7;

bool writing() { return std::getenv("VICINAL_WRITE_GOLDEN") != nullptr; }

std::vector<float> row_of(Label label) {
  std::uint64_t x = label * 0x9E3779B97F4A7C15u + 1;
  std::vector<float> row(kRow);
  for (float& component : row) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    component = static_cast<float>((x >> 40) % 253) - 126;
  }
  row[label % kRow] = label % 2 == 0 ? 127.0F : -127.0F;
  return row;
}

IndexOptions golden_options(Storage storage) {
  IndexOptions options;
  options.dimension = kRow;
  options.metric = Metric::kSquaredL2;
  options.quantization = storage == Storage::kInt8 ? Quantization::kInt8 : Quantization::kNone;
  options.storage = storage;
  options.M = 4;
  options.ef_construction = 20;
  options.threads = 1;
  options.reserve = 500;
  return options;
}

/// With a tombstone and a label that has its second vector.
void fill(Index index, Label first, Label last) {
  for (Label label = first; label < last; ++label) {
    ASSERT_TRUE(index.upsert(label, row_of(label)).ok());
  }
  ASSERT_TRUE(index.upsert(7, row_of(107)).ok());
  ASSERT_TRUE(index.erase(9).ok());
}

void expect_filled(const Index& index, Label count) {
  EXPECT_EQ(index.size(), count - 1);
  EXPECT_FALSE(index.contains(9));
  EXPECT_EQ(*index.get(7), row_of(107));
  for (Label label = 0; label < count; ++label) {
    if (label == 7 || label == 9) continue;
    EXPECT_EQ(*index.get(label), row_of(label));
    const auto nearest = index.search(row_of(label), {.k = 1});
    EXPECT_EQ(nearest->hits.front(), (Hit{label, 0.0F}));
  }
}

class StorageGolden : public ::testing::TestWithParam<Storage> {
 protected:
  std::string name() const { return storage_name(GetParam()); }
};

TEST_P(StorageGolden, Stream) {
  Index index = *Index::in_memory(golden_options(GetParam()));
  fill(index, 0, 50);
  const StreamBytes now = saved(index);
  const std::string path = kFolder + name() + ".bin";
  if (writing()) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(now.data()), static_cast<std::streamsize>(now.size()));
  }
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> chars((std::istreambuf_iterator<char>(file)),
                                std::istreambuf_iterator<char>());
  const auto then = std::as_bytes(std::span(chars));
  EXPECT_TRUE(std::ranges::equal(then, now));
  const Index back = loaded(then);
  EXPECT_EQ(back.options().storage, GetParam());
  expect_filled(back, 50);
  EXPECT_TRUE(saved(back) == now);
}

/// 40 vectors are checkpointed, 10 stand in the journal.
TEST_P(StorageGolden, Store) {
  TemporaryFolder folder;
  StoreOptions options = quick_store();
  options.background = false;
  if (writing()) {
    Store store = *Store::open(folder.file("made"), options);
    Index index = *store.index(name(), golden_options(GetParam()));
    fill(index, 0, 40);
    ASSERT_OK(index.checkpoint());
    fill(index, 40, 50);
    ASSERT_OK(store.backup(folder.file("copy")));
    std::filesystem::copy_file(folder.file("copy") + "/data.mdb", kFolder + name() + ".mdb",
                               std::filesystem::copy_options::overwrite_existing);
  }
  std::filesystem::create_directory(folder.file("s"));
  std::filesystem::copy_file(kFolder + name() + ".mdb", folder.file("s") + "/data.mdb");
  Store store = *Store::open(folder.file("s"), options);
  const Result<Index> index = store.open_index(name());
  ASSERT_TRUE(index.ok()) << index.status().to_string();
  EXPECT_EQ(index->options().storage, GetParam());
  EXPECT_EQ(index->stats().repaired_links, 0u);
  EXPECT_EQ(index->stats().journal_entries, 10u);
  expect_sound(*index, true);
  expect_filled(*index, 50);
}

INSTANTIATE_TEST_SUITE_P(Types, StorageGolden, ::testing::Values(Storage::kFloat16, Storage::kInt8),
                         [](const auto& instance) { return storage_name(instance.param); });

}  // namespace
}  // namespace vicinal::testing
