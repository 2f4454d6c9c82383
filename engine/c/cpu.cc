// The CPU targets of the kernels.
#include "vicinal/cpu.h"

#include <cstring>

#include "engine/c/answer.h"
#include "vicinal/c/cpu.h"

using vicinal::Result;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::require;

vicinal_status vicinal_for_each_cpu_target(vicinal_cpu_target_visitor visit, void* context) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(visit, "visit"));
    for (const vicinal::CpuTarget& target : vicinal::cpu_targets()) {
      const vicinal_cpu_target seen = {sizeof seen, target.name.c_str(), target.why_not.c_str(),
                                       target.supported, target.chosen};
      if (!visit(context, &seen)) break;
    }
    return {};
  });
}

vicinal_status vicinal_chosen_cpu_target(char* name, size_t capacity) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(name, "name"));
    const Result<std::string> chosen = vicinal::chosen_cpu_target();
    if (!chosen) return chosen.status();
    const std::size_t needed = chosen.value().size() + 1;
    if (capacity < needed) {
      return Status::invalid_argument("capacity " + std::to_string(capacity) + ", the name \"" +
                                      chosen.value() + "\" needs " + std::to_string(needed));
    }
    std::memcpy(name, chosen.value().c_str(), needed);
    return {};
  });
}

vicinal_status vicinal_force_cpu_target(const char* name) {
  return answer([&] { return vicinal::force_cpu_target(name == nullptr ? "" : name); });
}
