// Which table serves this process: what was compiled, what the CPU executes, what was forced.
//
// The list of targets and what VICINAL_TARGET says are made once, never change and never end: an index
// may end after statics do. No lock: a child of fork() makes indexes too, whatever other threads did.
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/process.h"
#include "hwy/targets.h"
#include "kernels/kernels.h"
#include "kernels/tiers.h"

namespace vicinal::kernels {
namespace {

struct Target {
  KernelTable table;
  bool supported;
  std::string_view why_not;
};

constexpr std::string_view kNoTarget = "this CPU or its operating system lacks the instructions";
constexpr std::string_view kNoVnni = "this CPU lacks AVX-512 VNNI";
constexpr std::string_view kNoDotprod = "this CPU lacks the ARMv8.2 dot product (asimddp)";

/// `base` with the int8 functions of `tier`.
Target tiered(const Target& base, const char* name, const CodeTier& tier, bool has_instructions,
              std::string_view why_not) {
  Target target = base;
  target.table.name = name;
  target.table.dot_i8 = tier.dot_i8;
  target.table.sum_i8 = tier.sum_i8;
  target.table.distance_i8_many = tier.distance_i8_many;
  target.table.distance_sketch_many = tier.distance_sketch_many;
  if (base.supported && !has_instructions) {
    target.supported = false;
    target.why_not = why_not;
  }
  return target;
}

/// As Highway sees it. To its NEON belong the instructions for AES, which no kernel here uses; where a
/// CPU lacks them it would print a warning, and say that not even the baseline runs.
std::int64_t executable_targets() {
#if HWY_ARCH_ARM_A64
  if ((::getauxval(AT_HWCAP) & HWCAP_AES) == 0) return HWY_STATIC_TARGET;
#endif
  return hwy::SupportedTargets();
}

std::vector<Target> build_targets() {
  const std::int64_t executable = executable_targets();
  const CodeTier vnni = vnni_tier();
  const CodeTier dotprod = neon_dotprod_tier();
  std::vector<Target> all;
  for (const HighwayTarget& compiled : highway_targets()) {
    const std::string_view name = compiled.table->name;
    // Highway compiles what the baseline guarantees last; it runs anywhere.
    const bool runs = (executable & compiled.bit) != 0 || compiled.bit == HWY_SCALAR ||
                      compiled.bit == HWY_EMU128;
    const Target target = {*compiled.table, runs, runs ? std::string_view() : kNoTarget};
    if (name == "avx3" && vnni.dot_i8 != nullptr) {
      all.push_back(tiered(target, "avx3_vnni", vnni, vnni_supported(), kNoVnni));
    }
    if (name == "neon" && dotprod.dot_i8 != nullptr) {
      all.push_back(tiered(target, "neon_dotprod", dotprod, neon_dotprod_supported(), kNoDotprod));
    }
    all.push_back(target);
  }
  return all;
}

const std::vector<Target>& all_targets() {
  static constinit std::atomic<const std::vector<Target>*> place{nullptr};
  return internal::first_made(
      place, [] { return std::make_unique<const std::vector<Target>>(build_targets()); });
}

const Target* best_target() {
  for (const Target& target : all_targets()) {
    if (target.supported) return &target;
  }
  return &all_targets().back();
}

std::string valid_names() {
  std::string names;
  for (const Target& target : all_targets()) {
    if (!target.supported) continue;
    if (!names.empty()) names += ", ";
    names += target.table.name;
  }
  return names;
}

Result<const Target*> find_target(std::string_view name) {
  for (const Target& target : all_targets()) {
    if (name != target.table.name) continue;
    if (target.supported) return &target;
    return Status::invalid_argument("target \"" + std::string(name) + "\" cannot run here: " +
                                    std::string(target.why_not) + "; valid: " + valid_names());
  }
  return Status::invalid_argument("unknown target \"" + std::string(name) +
                                  "\"; valid: " + valid_names());
}

/// By force_target().
constinit std::atomic<const Target*> forced{nullptr};

/// What VICINAL_TARGET says, or is wrong about; the best where it says nothing.
Result<const Target*> read_environment() {
  const char* name = std::getenv("VICINAL_TARGET");
  if (name == nullptr || *name == '\0') return best_target();
  Result<const Target*> found = find_target(name);
  if (found.ok()) return found;
  return Status(found.status().code(), "VICINAL_TARGET: " + found.status().message());
}

/// The target in force, or the error of VICINAL_TARGET, which is read at the first call.
Result<const Target*> chosen_target() {
  using Answer = Result<const Target*>;
  static constinit std::atomic<const Answer*> place{nullptr};
  const Answer& of_environment = internal::first_made(
      place, [] { return std::make_unique<const Answer>(read_environment()); });
  if (const Target* const target = forced.load(std::memory_order_acquire)) return target;
  return of_environment;
}

}  // namespace

Result<const KernelTable*> active_kernels() {
  Result<const Target*> target = chosen_target();
  if (!target) return target.status();
  return &(*target)->table;
}

std::vector<TargetInfo> targets() {
  const Result<const Target*> chosen = chosen_target();
  std::vector<TargetInfo> infos;
  for (const Target& target : all_targets()) {
    const bool is_chosen = chosen.ok() && *chosen == &target;
    infos.push_back({target.table.name, target.supported, is_chosen, target.why_not});
  }
  return infos;
}

Result<const KernelTable*> kernels_for_target(std::string_view name) {
  Result<const Target*> target = find_target(name);
  if (!target) return target.status();
  return &(*target)->table;
}

Status force_target(std::string_view name) {
  const Target* target = nullptr;
  if (!name.empty()) {
    Result<const Target*> found = find_target(name);
    if (!found) return found.status();
    target = *found;
  }
  forced.store(target, std::memory_order_release);
  return {};
}

}  // namespace vicinal::kernels
