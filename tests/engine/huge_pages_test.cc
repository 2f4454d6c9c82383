// What the kernel's setting of huge pages says.
#include "engine/base/huge_pages.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

TEST(HugePages, AreRefusedByNeverAndBySystemsWithoutThem) {
  TemporaryFolder folder;
  const std::string setting = folder.file("enabled");
  EXPECT_TRUE(internal::huge_pages_refused(setting)) << "no such setting";
  const auto refused_by = [&](const char* text) {
    std::ofstream(setting) << text;
    return internal::huge_pages_refused(setting);
  };
  EXPECT_TRUE(refused_by("always madvise [never]\n"));
  EXPECT_FALSE(refused_by("always [madvise] never\n"));
  EXPECT_FALSE(refused_by("[always] madvise never\n"));
}

TEST(HugePages, AreToldOfByTheStoreWhereTheyAreRefused) {
  TemporaryFolder folder;
  std::vector<Event> told;
  StoreOptions options = quick_store();
  options.background = false;
  options.on_event = [&](const Event& event) { told.push_back(event); };
  Store store = *Store::open(folder.file("s"), options);
  std::size_t count = 0;
  for (const Event& event : told) {
    if (event.kind != EventKind::kHugePagesRefused) continue;
    ++count;
    EXPECT_EQ(event.severity, Severity::kInfo);
    EXPECT_NE(event.message.find("huge pages"), std::string::npos);
  }
  EXPECT_EQ(count, internal::huge_pages_refused() ? 1u : 0u);
}

}  // namespace
}  // namespace vicinal::testing
