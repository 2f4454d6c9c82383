// guarded_main: what main() of every bench program is.
//
// Threads: the calling one.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <exception>

namespace vicinal::bench {

/// Returns run(argc, argv); 1 with the problem on standard error when that throws.
template <typename Run>
int guarded_main(const char* program, const Run& run, int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "{}: {}\n", program, problem.what());
  }
  return 1;
}

}  // namespace vicinal::bench
