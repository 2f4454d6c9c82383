// Which options an index takes, and whether they agree with those stored.
#pragma once

#include <string_view>

#include "persist/stored_options.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

/// OK when every field is in its range; the message has the value and the range.
Status check_options(const IndexOptions& options);

/// OK for 1 to 100 bytes of letters, digits, '_', '-', '.'.
Status check_index_name(std::string_view name);

/// OK when every stored field that `asked` sets (0 is unset) is as stored; else names the field and
/// both values.
Status check_agreement(std::string_view name, const IndexOptions& asked,
                       const persist::StoredOptions& stored);

persist::StoredOptions stored_part(const IndexOptions& options);
/// `tuning` with the stored fields filled in from `stored`.
IndexOptions with_stored(const IndexOptions& tuning, const persist::StoredOptions& stored);

}  // namespace vicinal::engine
