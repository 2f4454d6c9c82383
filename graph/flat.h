// Flat: a graph of few nodes has no links: searches compare with all of them.
//
// What: below Config::smallest_graph slots, and below 2 MiB of rows, a graph is flat: rows in pieces
// of the heap (pieces.h), no codes beside kept rows, no links, nothing of what links need
// (GraphState::Linking), and scan() for every search.
// Before the slot is handed out that passes this bound, linking begins: what only links need is
// made, every row is copied to segments, codes are made, and all nodes that are there join the
// backlog (link_backlog.h), from which every write links some. A graph is never flat again.
// Why: one vector took 14.5 MB, and a service has an index for each of thousands of tenants. To
// compare with 500 rows costs what a walk of ef 64 does.
// Threads: begin_linking() under slots_mutex, beside readers and writers: what they write is written
// inside a step, or under slots_mutex while the graph is flat. It takes less than a millisecond or
// two once: rows copied and coded.
//
// Invariants:
//   G14 A reader asks whether the graph is flat before he takes his number. If it is, he compares
//       with all slots, and that is right whatever comes; if it is not, all that counts for him is
//       linked or stands in the backlog: what was hidden when linking began counts for none of his
//       number.
//   G15 While a graph is flat, a slot is filled under slots_mutex, so that the rows that are copied
//       are whole; old rows live until the readers of that moment have left, all else that was
//       copied as long as the graph: a label may be looked at outside of any epoch.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph_state.h"
#include "vicinal/options.h"

namespace vicinal::graph {

/// Before the first code; no effect when they are there. Throws std::bad_alloc.
void make_rotation_signs(GraphState& g);

/// Makes what only links need. Throws std::bad_alloc; no effect when it is there.
void make_linking_parts(GraphState& g) VICINAL_REQUIRES(g.slots_mutex);

/// Ends being flat; no effect when it is not. `limit`: slots below it will be used next. Throws
/// std::bad_alloc: the graph is flat, and as good as before.
void begin_linking(GraphState& g, std::uint64_t limit) VICINAL_REQUIRES(g.slots_mutex);

/// Repair of a flat graph: nothing leads to a tombstone, so all that are not pinned are condemned, and
/// handed out once the readers have left for whom they may count (G11). False, and nothing done, when
/// the graph is not flat.
bool repair_flat(GraphState& g, RepairResult& result) VICINAL_EXCLUDES(g.slots_mutex);

/// Hands out what repair_flat() has condemned, flat or not by now, if those readers have left. False
/// while some is left.
bool release_condemned(GraphState& g) VICINAL_EXCLUDES(g.slots_mutex);

}  // namespace vicinal::graph
