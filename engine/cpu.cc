#include "vicinal/cpu.h"

#include "kernels/kernels.h"

namespace vicinal {

std::vector<CpuTarget> cpu_targets() {
  std::vector<CpuTarget> targets;
  for (const kernels::TargetInfo& target : kernels::targets()) {
    targets.push_back(
        {std::string(target.name), target.supported, target.chosen, std::string(target.why_not)});
  }
  return targets;
}

Result<std::string> chosen_cpu_target() {
  const Result<const kernels::KernelTable*> table = kernels::active_kernels();
  if (!table) return table.status();
  return std::string((*table)->name);
}

Status force_cpu_target(std::string_view name) { return kernels::force_target(name); }

std::string_view version() { return VICINAL_VERSION; }

}  // namespace vicinal
