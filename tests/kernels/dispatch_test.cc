// Which target is chosen, and that forcing one takes.
#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

TEST(Dispatch, EveryCompiledTargetSaysWhetherItRunsHere) {
  const std::vector<TargetInfo> all = targets();
  ASSERT_FALSE(all.empty());
  EXPECT_TRUE(all.back().supported) << "the baseline runs anywhere";
  for (const TargetInfo& target : all) {
    EXPECT_EQ(target.supported, target.why_not.empty()) << target.name;
    EXPECT_EQ(target.supported, kernels_for_target(target.name).ok()) << target.name;
  }
}

TEST(Dispatch, ExactlyOneTargetIsChosenAndActive) {
  const Result<const KernelTable*> active = active_kernels();
  if (!active.ok()) GTEST_SKIP() << active.status().to_string();
  int chosen = 0;
  for (const TargetInfo& target : targets()) {
    if (!target.chosen) continue;
    ++chosen;
    EXPECT_EQ(target.name, (*active)->name);
  }
  EXPECT_EQ(chosen, 1);
}

TEST(Dispatch, ForcingTakesAndIsUndone) {
  const Result<const KernelTable*> before = active_kernels();
  for (const TargetInfo& target : targets()) {
    const Status forced = force_target(target.name);
    EXPECT_EQ(forced.ok(), target.supported) << forced.to_string();
    if (!forced.ok()) continue;
    const Result<const KernelTable*> active = active_kernels();
    ASSERT_TRUE(active.ok());
    EXPECT_EQ((*active)->name, target.name);
  }
  ASSERT_TRUE(force_target("").ok());
  const Result<const KernelTable*> after = active_kernels();
  ASSERT_EQ(after.ok(), before.ok());
  if (after.ok()) {
    EXPECT_EQ(*after, *before);
  }
}

TEST(Dispatch, AnUnknownNameIsRefusedWithTheValidOnes) {
  for (const Status& status : {force_target("abacus"), kernels_for_target("abacus").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("abacus"), std::string::npos);
    for (const TargetInfo& target : targets()) {
      if (!target.supported) continue;
      EXPECT_NE(status.message().find(target.name), std::string::npos) << status.message();
    }
  }
}

TEST(Dispatch, TablesAreComplete) {
  for (const TargetInfo& target : targets()) {
    if (!target.supported) continue;
    const KernelTable& table = **kernels_for_target(target.name);
    EXPECT_TRUE(table.dot_f32 && table.squared_l2_f32 && table.norm_f32 && table.scale_f32 &&
                table.all_finite_f32 && table.rotate_f32 && table.encode_i8 && table.dot_i8 &&
                table.sum_i8 && table.distance_i8_many && table.distance_sketch_many &&
                table.sorted_entries && table.encode_f16 && table.decode_f16 &&
                table.encode_scaled && table.decode_scaled)
        << target.name;
    for (const RowDistances& d : {table.float32, table.float16, table.scaled}) {
      EXPECT_TRUE(d.dot_many && d.squared_l2_many && d.dot_rows && d.squared_l2_rows)
          << target.name;
    }
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
