// The measurements behind the decision record's tables. Each works on one shape of vectors through
// all sizes, and saves the record after every size.
//
// Nothing is measured twice at once: while one of them times, it runs alone with the threads that
// it names.
#pragma once

#include "bench/decision/record.h"
#include "bench/decision/vectors.h"

namespace vicinal::bench {

/// Durable: an index grows through the sizes, incrementally only. At each size a copy of its store
/// takes the batches, the single upserts and the rebuild, so that the index itself stays as it is.
Status measure_store(const Settings& settings, const Vectors& vectors, Record* record);

/// In memory: an index grows through the sizes; what was added for a measurement is erased again.
Status measure_memory(const Settings& settings, const Vectors& vectors, Record* record);

/// Fresh indexes in memory, for every size and batch: the batch incrementally and by a rebuild.
Status measure_crossover(const Settings& settings, const Vectors& vectors, Record* record);

}  // namespace vicinal::bench
