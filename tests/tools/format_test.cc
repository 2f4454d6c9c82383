// Numbers as people read them.
#include "tools/format.h"

#include <gtest/gtest.h>

namespace vicinal::tools {
namespace {

TEST(FormatTest, Groups) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(18446744073709551615ull), "18,446,744,073,709,551,615");
}

TEST(FormatTest, Bytes) {
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(3ull << 30), "3.0 GiB");
}

TEST(FormatTest, Seconds) {
  EXPECT_EQ(human_seconds(0.00074), "740 us");
  EXPECT_EQ(human_seconds(0.0125), "12.5 ms");
  EXPECT_EQ(human_seconds(3.21), "3.2 s");
  EXPECT_EQ(human_seconds(245), "4 min 05 s");
  EXPECT_EQ(human_seconds(7380), "2 h 03 min");
}

}  // namespace
}  // namespace vicinal::tools
