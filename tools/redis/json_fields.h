// Reads chosen fields of a JSON object without building the object: filters ask for a few fields of
// each of thousands of candidates.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tools/redis/filter_value.h"

namespace vicinal::redis {

/// JSON nested deeper than this is refused.
inline constexpr std::size_t kMaxJsonDepth = 256;

/// Finds the fields `names` on the first level of the JSON object `json` and puts them into `values`
/// of the same size, kMissing where there is none. Of two fields of one name the first counts.
/// Views in `values` point into `json`.
///
/// Returns false when `json` is no object or breaks JSON's rules (RFC 8259; UTF-8 is not checked).
/// Reading ends at the comma or brace after the last of the names: what follows is not looked at.
/// Cost: linear in the part that is read, times the number of names for its first level.
bool find_fields(std::string_view json, std::span<const std::string> names,
                 std::span<Value> values);

/// Takes the next element from `rest`, the inside of a kJsonArray; false at its end.
bool next_element(std::string_view& rest, Value& element);

/// The text of a string that was checked by find_fields, escapes resolved. `scratch` keeps the
/// result when there are any. A surrogate without its pair becomes U+FFFD.
std::string_view unescaped(const Value& string, std::string& scratch);

}  // namespace vicinal::redis
