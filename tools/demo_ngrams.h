// Words as vectors: signed hashing of character n-grams, so that words spelt alike are near each
// other without any model.
//
// A word is taken with a mark before and after it; each of its n-grams of 2 to 4 bytes adds +1 or
// -1 to one component, both chosen by xxHash; the vector is L2-normalized.
// Threads: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vicinal/status.h"

namespace vicinal::tools {

inline constexpr std::uint32_t kWordDimension = 384;

/// Writes the vector of `word` to `out`; never zero, always the same for the same word.
void embed_word(std::string_view word, std::span<float> out);

/// The lines of a word list, each once, empty ones left out.
/// Errors: kNotFound, kIoError, kInvalidArgument (a line above 256 bytes).
Result<std::vector<std::string>> load_words(const std::string& path);

}  // namespace vicinal::tools
