// The CPU targets of the kernels: what was compiled, what this machine runs, what was chosen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vicinal/requirements.h"
#include "vicinal/status.h"

namespace vicinal {

struct CpuTarget {
  std::string name;        ///< "avx3_vnni", "avx2", "neon", ...
  bool supported = false;  ///< this CPU executes it
  bool chosen = false;     ///< new indexes use it
  std::string why_not;     ///< why it is not supported; empty otherwise
};

/// Every target compiled into this build, best first.
/// Threads: any.
std::vector<CpuTarget> cpu_targets();

/// The name of the target that an index opened now would use.
/// Threads: any.
/// Errors: kInvalidArgument  VICINAL_TARGET names one that is unknown or cannot run here; the
///                           message lists the valid ones.
Result<std::string> chosen_cpu_target();

/// Makes indexes opened later use the target `name`; an empty name undoes it. The environment
/// variable VICINAL_TARGET does the same from outside.
/// Threads: must not race the opening of indexes.
/// Errors: kInvalidArgument  unknown, or not executable here; lists the valid names.
Status force_cpu_target(std::string_view name);

/// "0.1.0"
std::string_view version();

}  // namespace vicinal
