// What a program that includes Vicinal must be compiled with: C++20, and flags under which its
// containers are laid out as the library's are.
#pragma once

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "Vicinal's headers need C++20: compile with -std=c++20 or later"
#endif

#include <cstddef>  // the standard library says which of its layouts is in force

// _GLIBCXX_DEBUG and _GLIBCXX_USE_CXX11_ABI change what std::vector and std::string look like, but
// not always the names of functions that return them: such a program would link, and read rubbish.
// So the name of a symbol of the library says which of them it was built with.
#if defined(_GLIBCXX_DEBUG)
#define VICINAL_INTERNAL_LAYOUT vicinal_was_built_with_GLIBCXX_DEBUG
#elif defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#define VICINAL_INTERNAL_LAYOUT vicinal_was_built_with_the_old_CXX11_ABI
#else
#define VICINAL_INTERNAL_LAYOUT vicinal_was_built_without_GLIBCXX_DEBUG
#endif

namespace vicinal::internal {
extern "C" const char VICINAL_INTERNAL_LAYOUT;
namespace {
/// Makes whatever includes this refer to the symbol.
[[maybe_unused, gnu::used]] const char* const kLayoutOfThisProgram = &VICINAL_INTERNAL_LAYOUT;
}  // namespace
}  // namespace vicinal::internal
