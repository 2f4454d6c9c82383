// Options and callbacks of the C ABI as those of the C++ API.
//
// Every read_...() takes what the caller gave (null: defaults) and answers kInvalidArgument where a
// size, a reserved field or a value that the C++ type cannot hold is wrong; all else is for the
// engine to judge.
#pragma once

#include "vicinal/c/options.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::c_abi {

Result<IndexOptions> read_index_options(const vicinal_index_options* given);
Result<StoreOptions> read_store_options(const vicinal_store_options* given);
Result<BatchOptions> read_batch_options(const vicinal_batch_options* given);
Result<SearchOptions> read_search_options(const vicinal_search_options* given);
Result<RadiusOptions> read_radius_options(const vicinal_radius_options* given);
Result<RepairOptions> read_repair_options(const vicinal_repair_options* given);
/// `told` gets the fields that the C++ type does not have: on_message and its context.
Result<ValidateOptions> read_validate_options(const vicinal_validate_options* given,
                                              vicinal_validate_options& told);
Result<RecallOptions> read_recall_options(const vicinal_recall_options* given);

/// `options` as a struct, without callbacks.
vicinal_index_options to_struct(const IndexOptions& options);

/// Empty when `callback` is null.
ProgressCallback to_progress(vicinal_progress_callback callback, void* context);

}  // namespace vicinal::c_abi
