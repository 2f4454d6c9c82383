// A store whose making was interrupted, and one that was made and is damaged.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

/// Blanks a page of a store's data file.
void blank_page(const std::string& path, std::streamoff page) {
  const auto size = static_cast<std::streamoff>(::sysconf(_SC_PAGESIZE));
  std::fstream data(path + "/data.mdb", std::ios::binary | std::ios::in | std::ios::out);
  data.seekp(page * size);
  data << std::string(static_cast<std::size_t>(size), '\0');
}

// A power cut may take either of the meta pages that LMDB has not synced yet, and both.
TEST(Making, MetaPagesThatWereNeverSynced) {
  TemporaryFolder folder;
  const std::string path = folder.file("s");
  open_store(path).reset();
  const std::string made = folder.file("made");
  std::filesystem::copy(path, made);
  // The second is of the first commit: a store that lacks the other is damaged.
  std::filesystem::remove(path + "/vicinal.lock");
  blank_page(path, 0);
  EXPECT_EQ(open_code(path), StatusCode::kCorruption);
  blank_page(path, 1);
  StoreOptions reading;
  reading.create = false;
  EXPECT_EQ(open_code(path, reading), StatusCode::kNotFound);
  EXPECT_EQ(open_code(path), StatusCode::kOk);
  EXPECT_EQ(open_code(path, reading), StatusCode::kOk);
  // Where vicinal.lock says that it was made they were synced.
  blank_page(made, 0);
  blank_page(made, 1);
  EXPECT_EQ(open_code(made), StatusCode::kCorruption);
}

}  // namespace
}  // namespace vicinal::persist::test
