// How a set is made: the options of VADD and VICINAL.CREATE, and what they must agree with.
//
// Threads: the main thread.
#pragma once

#include <optional>

#include "tools/redis/module_api.h"
#include "tools/redis/vector_set.h"

namespace vicinal::redis {

/// What a command says of them; what it leaves out accepts what is stored.
struct CreationOptions {
  enum class Quant { kNone, kInt8, kBinary };

  std::optional<Quant> quant;
  std::optional<long long> M;
  std::optional<long long> ef;
  Metric metric = Metric::kCosine;

  /// Takes argv[at], and its value, if it is one of NOQUANT, Q8, BIN, EF and M; `at` goes behind it.
  bool take(ServerString** argv, int argc, int& at);
};

/// Throws a Refusal where `set` was made otherwise.
void check_agreement(const CreationOptions& options, const VectorSet& set);
/// An empty set. Throws a Refusal for what the engine does not have.
SetValue make_set(const CreationOptions& options, std::size_t dimension);

}  // namespace vicinal::redis
