// What ..._init() writes, and what fields that a smaller struct lacks are taken to be: the C++
// API's own defaults.
#pragma once

#include "vicinal/c/options.h"

namespace vicinal::c_abi {

/// A T as its ..._init() leaves it.
template <typename T>
T defaults();
template <>
vicinal_index_options defaults();
template <>
vicinal_store_options defaults();
template <>
vicinal_batch_options defaults();
template <>
vicinal_search_options defaults();
template <>
vicinal_radius_options defaults();
template <>
vicinal_repair_options defaults();
template <>
vicinal_validate_options defaults();
template <>
vicinal_recall_options defaults();

}  // namespace vicinal::c_abi
