// What clang's thread safety analysis is told: which lock guards what, and who must hold it.
//
// What: macros that are attributes under clang and nothing under other compilers. They stand where
// a comment would ("guarded by mutex_"), and tests/checks/thread_safety.sh makes each breach of one
// an error. The locks that they name are those of engine/base/mutex.h.
#pragma once

#ifdef __clang__
#define VICINAL_THREAD_ANNOTATION(...) __attribute__((__VA_ARGS__))
#else
#define VICINAL_THREAD_ANNOTATION(...)
#endif

/// On a class: it is a lock, called `kind` in messages; or it holds one from its construction on.
#define VICINAL_CAPABILITY(kind) VICINAL_THREAD_ANNOTATION(capability(kind))
#define VICINAL_SCOPED_CAPABILITY VICINAL_THREAD_ANNOTATION(scoped_lockable)

/// On a member: read and written under the lock only.
#define VICINAL_GUARDED_BY(lock) VICINAL_THREAD_ANNOTATION(guarded_by(lock))
/// On a lock: taken before those, by whoever takes both.
#define VICINAL_ACQUIRED_BEFORE(...) VICINAL_THREAD_ANNOTATION(acquired_before(__VA_ARGS__))

/// On a function: its caller holds the locks; or must not hold them, for the function takes them.
#define VICINAL_REQUIRES(...) VICINAL_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define VICINAL_EXCLUDES(...) VICINAL_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
/// On a function: it returns with the locks held; without them; or with them where it returns
/// `success`.
#define VICINAL_ACQUIRE(...) VICINAL_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define VICINAL_RELEASE(...) VICINAL_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define VICINAL_TRY_ACQUIRE(success) VICINAL_THREAD_ANNOTATION(try_acquire_capability(success))

/// On a function that the analysis cannot follow. A comment says why.
#define VICINAL_NO_THREAD_SAFETY_ANALYSIS VICINAL_THREAD_ANNOTATION(no_thread_safety_analysis)
