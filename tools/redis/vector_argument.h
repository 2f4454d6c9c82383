// A vector in a command's line: FP32 blob, or VALUES n f1 ... fn.
//
// Threads: the main thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tools/redis/module_api.h"

namespace vicinal::redis {

inline constexpr long long kMostDimensions = 65536;

/// The vector whose words begin at argv[at]; `at` goes behind them. Throws a Refusal when it is none.
std::vector<float> vector_argument(ServerString** argv, int argc, int& at);

/// Little-endian float32, of any number of vectors: `bytes.size()` is a multiple of 4.
std::vector<float> floats(std::string_view bytes);

/// Throws the Refusal that says so unless both are equal.
void check_dimension(std::size_t got, std::uint32_t has);

/// A score as the commands give it, 1 being nearest: cosine 1 - distance / 2, else 1 - distance.
double score(double distance, bool cosine);

}  // namespace vicinal::redis
