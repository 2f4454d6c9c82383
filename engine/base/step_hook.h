// VICINAL_STEP_POINT: where one thread can be held so that another overtakes it.
//
// What: the interleaving tests compile the files that have such points with VICINAL_STEP_HOOK and
// define reach_step_point(), which runs threads through their points in every order
// (tests/interleaving). Elsewhere a point is nothing. No point stands inside a lock that the other
// side of a test takes. A point named "wait..." stands in a loop that waits for another thread.
#pragma once

#if defined(VICINAL_STEP_HOOK)
namespace vicinal::internal {
void reach_step_point(const char* point);
}  // namespace vicinal::internal
#define VICINAL_STEP_POINT(point) ::vicinal::internal::reach_step_point(point)
#else
#define VICINAL_STEP_POINT(point) static_cast<void>(0)
#endif
