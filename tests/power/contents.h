// Contents: what is in a store, in a form that can be held against what should be.
//
// What: vectors say their label and generation, so that one read says which write it is of.
// Ownership: values.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vicinal/store.h"

namespace vicinal::testing {

inline constexpr std::uint32_t kContentsDimension = 8;

/// Indexes by name; of each, generations of vectors by label.
using Contents = std::map<std::string, std::map<Label, std::uint32_t>>;

/// The vector of a label in its generation.
std::vector<float> contents_vector(Label label, std::uint32_t generation);
/// "graph" has links from the first vector on, "mapped" has its vectors in the file only; others are
/// flat.
IndexOptions contents_index(const std::string& name);

/// What is in `store`, whose every index is opened and validated, deeply.
/// Errors: those of opening and reading; kCorruption  it is not sound, or somebody stored another
///         vector.
Result<Contents> read_contents(Store& store);
/// Of an index that is open, as searches see it.
Result<std::map<Label, std::uint32_t>> read_labels(const Index& index);

std::string described(const Contents& contents);

}  // namespace vicinal::testing
