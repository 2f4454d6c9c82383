// What a dropped index leaves behind: its records, deleted in steps.
//
// What: dropping takes the name out of the catalog and puts the id among those of dropped indexes,
// in one transaction: from then on nothing leads to the records, and the name may be given anew, for
// ids are never used again. The records follow by transactions of bounded size, between which others
// write; a crash in between leaves the id in its place, and the next to look goes on (store_file.h).
// Ownership: none.
// Threads: the transaction's.
#pragma once

#include "persist/catalog.h"
#include "persist/index_databases.h"
#include "persist/lmdb_transaction.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// Deletes some records of the first dropped index. False when no dropped index has any left.
/// Errors: LMDB's; kCorruption where pages of a large value cannot be believed.
Result<bool> delete_dropped(Transaction& transaction, const SharedDatabases& databases,
                            Catalog& catalog);

}  // namespace vicinal::persist
