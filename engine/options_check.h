// Which options an index takes, and whether they agree with those stored.
#pragma once

#include <string_view>

#include "persist/stored_options.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

/// OK when every field is in its range; the message has the value and the range.
Status check_options(const IndexOptions& options);

/// The same for the options of one call.
Status check_options(const SearchOptions& options);
Status check_options(const RadiusOptions& options);
Status check_options(const RecallOptions& options);
Status check_options(const BatchOptions& options);
Status check_threads(std::uint64_t threads);

/// OK for 1 to 100 bytes of letters, digits, '_', '-', '.'.
Status check_index_name(std::string_view name);

/// OK when every stored field that `asked` sets (0 is unset) is as stored; else names the field and
/// both values.
Status check_agreement(std::string_view name, const IndexOptions& asked,
                       const persist::StoredOptions& stored);

/// The same where fields that are as by default are unset, too.
Status check_tuning(std::string_view name, const IndexOptions& tuning,
                    const persist::StoredOptions& stored);

persist::StoredOptions stored_part(const IndexOptions& options);
/// `tuning` with the stored fields filled in from `stored`.
IndexOptions with_stored(const IndexOptions& tuning, const persist::StoredOptions& stored);

}  // namespace vicinal::engine
