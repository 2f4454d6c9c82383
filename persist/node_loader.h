// The nodes of a load, and their rows: from node blocks and vectors chunks to LoadVisitor::place().
//
// What: the loading thread finds the records; verifying a chunk and handing its rows over is done
// by all of LoadOptions::workers, over hundreds of chunks at a time.
// Ownership: the context is the load's.
// Threads: called by the loading thread, which others help.
#pragma once

#include "persist/load_context.h"

namespace vicinal::persist {

/// Marks what is placed in context.delivered.
Status load_nodes(LoadContext& context);

}  // namespace vicinal::persist
