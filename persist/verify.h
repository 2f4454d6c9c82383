// verify(): every record's checksum and content, and that they agree with each other.
//
// Ownership: none.
// Threads: any, beside writers; what one snapshot shows is held together.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "persist/stored_index.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// Returns how many records fail; a line for each of the first 100 goes to `messages` (may be
/// null).
Result<std::uint64_t> verify(StoredIndex& index, std::vector<std::string>* messages);

/// Records of no index: returns how many ids they are under that are not in `ids`, with a line for
/// each, as verify(). Looks at one record of each index.
Result<std::uint64_t> verify_ids(Transaction& transaction, const SharedDatabases& databases,
                                 const std::set<std::uint32_t>& ids,
                                 std::vector<std::string>* messages);

}  // namespace vicinal::persist
