// The nodes of a load, and their rows: from node blocks and vectors chunks to LoadVisitor::place().
//
// What: the loading thread finds the records; verifying a chunk and handing its rows over is done
// by all threads that LoadOptions::parallel has, over hundreds of chunks at a time. Without rows
// (LoadOptions::rows) the chunks stay where they are: only that they are there, and long enough, is
// looked at.
// Ownership: the context is the load's.
// Threads: called by the loading thread, which others help.
#pragma once

#include "persist/load_context.h"
#include "persist/verified_chunks.h"

namespace vicinal::persist {

/// Marks what is placed in context.delivered. `verified` expects the chunks that are not read.
Status load_nodes(LoadContext& context, VerifiedChunks& verified);

}  // namespace vicinal::persist
