// huge_pages_refused(): whether this system gives no huge pages to who asks for them.
// Threads: any.
#pragma once

#include <string>

namespace vicinal::internal {

/// Reads the kernel's setting of transparent huge pages. True when it is "never", or when there is
/// none: then madvise(MADV_HUGEPAGE) is without effect, and rows read at random cost more.
bool huge_pages_refused(const std::string& setting = "/sys/kernel/mm/transparent_hugepage/enabled");

}  // namespace vicinal::internal
