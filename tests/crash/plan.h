// Plan: how one store is used through all its crashes, drawn from a seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/crash/ledger.h"
#include "vicinal/options.h"

namespace vicinal::testing {

inline constexpr const char* kIndexName = "text";
inline constexpr const char* kSideName = "side";
inline constexpr std::uint32_t kSideDimension = 8;

struct Plan {
  std::string folder;
  StoreOptions store;
  IndexOptions index;
  std::uint64_t seed = 0;

  std::string path() const { return folder + "/s"; }
  std::string backup_path() const { return folder + "/b"; }
};

/// `folder` exists and is empty.
Plan draw_plan(std::uint64_t seed, const std::string& folder);

/// The vector of a label in a generation.
std::vector<float> row_of(Label label, LabelState generation, std::uint32_t dimension);

}  // namespace vicinal::testing
