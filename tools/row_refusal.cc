#include "tools/row_refusal.h"

#include <fmt/core.h>

#include <functional>
#include <span>

namespace vicinal::tools {
namespace {

Status first_refusal(const matrix::Reader& reader, const matrix::Batch& batch,
                     const std::function<Status(std::span<const float>)>& ask) {
  const std::size_t dimension = reader.dimension();
  for (std::size_t r = 0; r < batch.rows; ++r) {
    const Status taken = ask({batch.values.data() + r * dimension, dimension});
    if (taken.ok()) continue;
    return {taken.code(), fmt::format("{}: {}: {}", reader.path(),
                                      reader.locate(batch.first_row + r), taken.message())};
  }
  return {};
}

}  // namespace

Status refused_query(const Index& index, const matrix::Reader& reader, const matrix::Batch& batch) {
  SearchOptions nothing;
  nothing.k = 0;
  return first_refusal(reader, batch, [&](std::span<const float> row) {
    return index.search(row, nothing).status();
  });
}

Status refused_row(const IndexOptions& options, const matrix::Reader& reader,
                   const matrix::Batch& batch) {
  IndexOptions in_memory = options;
  in_memory.vectors_in_memory = true;
  in_memory.reserve = 0;
  Result<Index> trial = Index::in_memory(in_memory);
  if (!trial.ok()) return trial.status();
  return first_refusal(reader, batch,
                       [&](std::span<const float> row) { return trial->upsert(0, row).status(); });
}

}  // namespace vicinal::tools
