// load: an index in memory from bytes that save() gave.
#include <fmt/format.h>

#include "engine/base/check.h"
#include "engine/index_core.h"
#include "engine/loader.h"
#include "engine/options_check.h"
#include "persist/stream_reader.h"

namespace vicinal::engine {

Result<std::shared_ptr<IndexCore>> IndexCore::load(const ByteSource& source,
                                                   const IndexOptions& tuning) {
  persist::StreamReader reader(source);
  const Result<persist::StreamHead> head = reader.head();
  if (!head) return head.status();
  VICINAL_RETURN_IF_ERROR(check_tuning("of the stream", tuning, head->options));
  Result<std::shared_ptr<IndexCore>> core = make({}, with_stored(tuning, head->options), {});
  if (!core) return core;
  VICINAL_RETURN_IF_ERROR(Loader((*core)->state_, *head).run(reader));
  return core;
}

}  // namespace vicinal::engine
