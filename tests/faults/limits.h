// Limits: a file system that is full to its last byte, and a process that may have no more memory.
//
// What: the store is filled until it refuses, and has to say so with numbers, stay readable, and use
// again what erasing, repair and a checkpoint give back.
// Ownership: the campaign is the caller's.
// Threads: one; work is done in processes of its own.
#pragma once

#include "tests/proof/campaign.h"

namespace vicinal::testing {

/// On file systems of several sizes, mounted for it alone; without the right to mount it says so and
/// counts nothing.
void fill_disks(Campaign& campaign);

/// Under several limits of the address space.
void limit_memory(Campaign& campaign);

}  // namespace vicinal::testing
