#include "tools/row_refusal.h"

#include <fmt/core.h>

namespace vicinal::tools {

Status refused_row(const Index& index, const matrix::Reader& reader, const matrix::Batch& batch) {
  const std::size_t dimension = reader.dimension();
  SearchOptions nothing;
  nothing.k = 0;  // a query is held against the same rules as a stored vector, and then done with
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const Result<SearchResult> taken =
        index.search({batch.values.data() + r * dimension, dimension}, nothing);
    if (taken.ok()) continue;
    return {taken.status().code(),
            fmt::format("{}: {}: {}", reader.path(), reader.locate(batch.first_row + r),
                        taken.status().message())};
  }
  return {};
}

}  // namespace vicinal::tools
