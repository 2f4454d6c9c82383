// Values read from the file are those of the map.
#include "persist/value_reader.h"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

constexpr std::uint32_t kValues = 40;

std::vector<std::byte> value_of(std::uint32_t i, std::size_t bytes) {
  std::vector<std::byte> value(bytes);
  for (std::size_t k = 0; k < bytes; ++k)
    value[k] = static_cast<std::byte>((i * 131 + k * 7) % 251);
  return value;
}

Bytes get(Transaction& transaction, DatabaseHandle database, std::uint32_t i) {
  const Key32 key(i);
  Bytes value;
  const auto found = transaction.get(database, key.bytes(), &value);
  EXPECT_TRUE(found.ok() && *found) << i;
  return value;
}

TEST(ValueReader, ReadsWhatTheMapHolds) {
  TemporaryFolder folder;
  Journal made(folder.file("env"), Durability::kNone);
  ASSERT_TRUE(made.environment
                  ->write([&](Transaction& transaction) -> Status {
                    for (std::uint32_t i = 0; i < kValues; ++i) {
                      const Key32 key(i);
                      // Small ones share pages; the others fill pages of their own.
                      const std::size_t bytes = i % 4 == 0 ? 100 : 4096 + 1000 * i;
                      Status s = transaction.put(made.journal, key.bytes(), value_of(i, bytes));
                      if (!s.ok()) return s;
                    }
                    return {};
                  })
                  .ok());
  auto transaction = made.environment->read();
  ASSERT_TRUE(transaction.ok());
  ValueReader reader(*made.environment);
  std::vector<std::byte> out(64 << 10);
  const Bytes small = get(**transaction, made.journal, 0);
  const Bytes large = get(**transaction, made.journal, 1);
  reader.learn(small);
  EXPECT_FALSE(reader.knows()) << "its page does not begin with it";
  auto had = reader.read(large, out.data());
  ASSERT_TRUE(had.ok());
  EXPECT_FALSE(*had) << "it does not know yet where the map is";
  reader.learn(large);
  ASSERT_TRUE(reader.knows());
  for (std::uint32_t i = 0; i < kValues; ++i) {
    const Bytes value = get(**transaction, made.journal, i);
    had = reader.read(value, out.data());
    ASSERT_TRUE(had.ok()) << had.status().to_string();
    ASSERT_TRUE(*had) << i;
    EXPECT_TRUE(std::equal(value.begin(), value.end(), out.begin())) << i;
  }
}

TEST(ValueReader, BeyondTheFileIsCorruption) {
  TemporaryFolder folder;
  Journal made(folder.file("env"), Durability::kNone);
  ASSERT_TRUE(made.environment
                  ->write([&](Transaction& transaction) -> Status {
                    const Key32 key(1);
                    return transaction.put(made.journal, key.bytes(), value_of(1, 9000));
                  })
                  .ok());
  auto transaction = made.environment->read();
  ASSERT_TRUE(transaction.ok());
  ValueReader reader(*made.environment);
  const Bytes value = get(**transaction, made.journal, 1);
  reader.learn(value);
  ASSERT_TRUE(reader.knows());
  const std::string file = folder.file("env/data.mdb");
  const std::uintmax_t whole = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, 4096);
  std::vector<std::byte> out(value.size());
  const auto had = reader.read({value.data(), value.size()}, out.data());
  EXPECT_EQ(had.status().code(), StatusCode::kCorruption) << had.status().to_string();
  std::filesystem::resize_file(file, whole);  // LMDB still has it mapped
}

}  // namespace
}  // namespace vicinal::persist::test
