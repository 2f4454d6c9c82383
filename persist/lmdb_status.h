// LMDB's return codes as a Status: the one place where that is decided.
// Ownership: none.
// Threads: pure.
#pragma once

#include "vicinal/status.h"

namespace vicinal::persist {

/// Of a code of LMDB's or an errno; `what` was being done.
Status lmdb_status(int code, const char* what);

}  // namespace vicinal::persist
