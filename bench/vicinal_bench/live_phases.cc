#include "bench/vicinal_bench/live_phases.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vicinal::bench {
namespace {

// The index and its batch take this part of the base; the rest is for the slow writer's inserts.
constexpr double kBatchRows = 0.85;

std::vector<Phase> make_phases() {
  std::vector<Phase> phases;
  phases.push_back({.name = "idle"});
  phases.push_back({.name = "one_tombstone", .tombstones = Tombstones::kOne});
  for (const Tombstones which : {Tombstones::kRandom, Tombstones::kNear}) {
    for (const int percent : {5, 20, 50}) {
      phases.push_back({.name = fmt::format("tombstones_{}_{}", percent,
                                            which == Tombstones::kRandom ? "random" : "near"),
                        .tombstones = which,
                        .share = percent / 100.0});
    }
  }
  const std::pair<const char*, WriteKind> kinds[] = {
      {"insert", WriteKind::kInsert}, {"update", WriteKind::kUpdate}, {"erase", WriteKind::kErase}};
  for (const auto& [word, kind] : kinds) {
    for (const unsigned writers : {1u, 4u, 8u}) {
      phases.push_back(
          {.name = fmt::format("{}_{}", word, writers), .writes = kind, .writers = writers});
    }
  }
  const auto beside = [&phases](const char* name, ActivityKind activity, bool store_only) {
    phases.push_back({.name = name,
                      .writers = 1,
                      .activity = activity,
                      .trickle = true,
                      .store_only = store_only});
  };
  beside("repair", ActivityKind::kRepair, false);
  beside("checkpoint", ActivityKind::kCheckpoint, true);
  phases.push_back({.name = "rebuild", .activity = ActivityKind::kRebuild});
  beside("rebuild_updates", ActivityKind::kRebuild, false);
  phases.back().writes = WriteKind::kUpdate;
  beside("backup", ActivityKind::kBackup, true);
  beside("validate_deep", ActivityKind::kValidateDeep, false);
  beside("open_again", ActivityKind::kOpenAgain, true);
  beside("batch_quarter", ActivityKind::kBatchQuarter, false);
  beside("batch_10x", ActivityKind::kBatchTenfold, false);
  beside("batch_10x_updates", ActivityKind::kBatchTenfold, false);
  phases.back().writes = WriteKind::kUpdate;
  return phases;
}

std::uint64_t part(double share, std::uint64_t rows) {
  return static_cast<std::uint64_t>(share * static_cast<double>(rows));
}

}  // namespace

const std::vector<Phase>& all_phases() {
  static const std::vector<Phase> phases = make_phases();
  return phases;
}

Result<std::vector<Phase>> choose_phases(const std::vector<std::string>& names, bool stored) {
  std::vector<std::string> known;
  for (const Phase& phase : all_phases()) known.push_back(phase.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Status::invalid_argument(
        fmt::format("phase \"{}\", there are {}: {}", name, known.size(), fmt::join(known, " ")));
  }
  std::vector<Phase> chosen;
  for (const Phase& phase : all_phases()) {
    const bool named = std::find(names.begin(), names.end(), phase.name) != names.end();
    if (named && phase.store_only && !stored) {
      return Status::invalid_argument(fmt::format("phase {} needs --store", phase.name));
    }
    if (named || (names.empty() && (stored || !phase.store_only))) chosen.push_back(phase);
  }
  return chosen;
}

std::uint64_t preload_of(const Phase& phase, std::uint64_t preload, std::uint64_t rows) {
  switch (phase.activity) {
    case ActivityKind::kBatchQuarter:
      return std::min(preload, part(kBatchRows / 1.25, rows));
    case ActivityKind::kBatchTenfold:
      return std::min(preload, part(kBatchRows / 11, rows));
    default:
      return preload;
  }
}

}  // namespace vicinal::bench
