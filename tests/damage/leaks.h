// What is left of a store that was opened and closed: nothing may be.
//
// Ownership: none.
// Threads: one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/proof/campaign.h"

namespace vicinal::testing {

/// A process that keeps a store open to read while this lives: LMDB's table of readers lives on.
class Keeper {
 public:
  explicit Keeper(const std::string& path);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper();

 private:
  pid_t child_ = -1;
};

/// Slots of LMDB's table of readers, in the store at `path`, that have an owner.
std::size_t slots_in_use(const std::string& path);

/// Opens and closes a store so many times, in every way and with every verb in between, beside a
/// process that keeps it open to read. Memory, descriptors, maps, threads and slots are then what they
/// were after the first tenth. Throws Broken.
void open_and_close(Campaign& campaign, std::uint64_t times);

}  // namespace vicinal::testing
