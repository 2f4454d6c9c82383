//! Closures lent to the library for the length of one call.
//!
//! A panic must not unwind into C. Each function that C calls catches it, keeps it, asks C to stop (a
//! filter cannot: it refuses), and lets no later call reach the closure; the method that lent the
//! closure goes on with the panic when C has returned.

use std::any::Any;
use std::ops::ControlFlow;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;

use crate::error::text;
use crate::sys;
use crate::types::Label;

/// The first panic of a closure, kept until C has returned.
#[derive(Default)]
pub(crate) struct Panic {
    happened: AtomicBool,
    payload: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Panic {
    /// What `call` gives; `otherwise` when it panics, and ever after.
    pub fn guard<R>(&self, otherwise: R, call: impl FnOnce() -> R) -> R {
        if self.happened.load(Ordering::Relaxed) {
            return otherwise;
        }
        // What the closure left half done is seen by nobody but him who gets the panic.
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(result) => result,
            Err(payload) => {
                self.happened.store(true, Ordering::Relaxed);
                let mut kept = self.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                if kept.is_none() {
                    *kept = Some(payload);
                } else {
                    // Another thread's came first. Its own destructor may panic too.
                    std::mem::forget(payload);
                }
                otherwise
            }
        }
    }

    /// Goes on with the panic that was kept, if there is one.
    pub fn resume(&self) {
        let payload = self.payload.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }
}

/// What long work tells now and then (a few times a second at most).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done: "vectors", "links", "repair", ...
    pub phase: &'a str,
    /// Units done.
    pub done: u64,
    /// Units in all; None when that is not known.
    pub total: Option<u64>,
}

/// Called by long work from one thread at a time, not always the caller's. `Break` cancels: the
/// call then fails with [`Status::Cancelled`](crate::Status::Cancelled) as its documentation says.
/// A panic cancels likewise and then goes on in the caller.
pub type ProgressClosure<'a> = dyn FnMut(&Progress<'_>) -> ControlFlow<()> + Send + 'a;

/// Which labels a search may return: those for which it is true. Called only for candidates, by a
/// batch from several threads at once. It may call the index, and write to it; the search sees the
/// moment at which it began. A panic cannot end the search: every label is refused from then on, and
/// the panic goes on in the caller when the search is done, which takes as long as one that finds
/// nothing.
pub type Filter<'a> = dyn Fn(Label) -> bool + Sync + 'a;

/// A progress closure, or none, on loan.
pub(crate) struct LentProgress<'a> {
    closure: Option<&'a mut ProgressClosure<'a>>,
    panic: Panic,
}

impl<'a> LentProgress<'a> {
    pub fn new(closure: Option<&'a mut ProgressClosure<'a>>) -> LentProgress<'a> {
        LentProgress { closure, panic: Panic::default() }
    }

    /// What C calls, with what it hands through. `self` must stay where it is until C returns.
    pub fn lend(&mut self) -> (sys::vicinal_progress_callback, *mut c_void) {
        match self.closure {
            Some(_) => (Some(on_progress), (self as *mut LentProgress<'a>).cast()),
            None => (None, std::ptr::null_mut()),
        }
    }

    pub fn resume(&self) {
        self.panic.resume();
    }
}

unsafe extern "C" fn on_progress(
    context: *mut c_void,
    progress: *const sys::vicinal_progress,
) -> bool {
    // SAFETY: lend() gave this context, whose owner waits for C; C calls from one thread at a time.
    let lent = &mut *context.cast::<LentProgress<'_>>();
    let closure = &mut lent.closure;
    lent.panic.guard(false, || {
        let phase = text((*progress).phase);
        let total = (*progress).total;
        let told = Progress {
            phase: &phase,
            done: (*progress).done,
            total: if total == 0 { None } else { Some(total) },
        };
        closure.as_mut().map_or(true, |closure| closure(&told).is_continue())
    })
}

/// A filter, or none, on loan.
pub(crate) struct LentFilter<'a> {
    filter: Option<&'a Filter<'a>>,
    panic: Panic,
}

impl<'a> LentFilter<'a> {
    pub fn new(filter: Option<&'a Filter<'a>>) -> LentFilter<'a> {
        LentFilter { filter, panic: Panic::default() }
    }

    /// As [`LentProgress::lend`].
    pub fn lend(&self) -> (sys::vicinal_label_predicate, *mut c_void) {
        match self.filter {
            Some(_) => (Some(passes), self as *const LentFilter<'a> as *mut c_void),
            None => (None, std::ptr::null_mut()),
        }
    }

    pub fn resume(&self) {
        self.panic.resume();
    }
}

unsafe extern "C" fn passes(context: *mut c_void, label: u64) -> bool {
    // SAFETY: lend() gave this context, whose owner waits for C; shared only.
    let lent = &*context.cast::<LentFilter<'_>>();
    lent.panic.guard(false, || lent.filter.map_or(true, |filter| filter(label)))
}

/// A visitor on loan: `F` takes what the function of the ABI that gets it tells.
pub(crate) struct LentVisitor<F> {
    pub closure: F,
    panic: Panic,
}

impl<F> LentVisitor<F> {
    pub fn new(closure: F) -> LentVisitor<F> {
        LentVisitor { closure, panic: Panic::default() }
    }

    pub fn context(&mut self) -> *mut c_void {
        (self as *mut LentVisitor<F>).cast()
    }

    pub fn resume(&self) {
        self.panic.resume();
    }

    /// Calls `call` with the closure of `context`; false ends the walk.
    ///
    /// # Safety
    /// `context` is that of a `LentVisitor<F>` whose owner waits for C.
    pub unsafe fn visit(
        context: *mut c_void,
        call: impl FnOnce(&mut F) -> ControlFlow<()>,
    ) -> bool {
        let lent = &mut *context.cast::<LentVisitor<F>>();
        let closure = &mut lent.closure;
        lent.panic.guard(false, || call(closure).is_continue())
    }
}

/// A `vicinal_text_visitor` for a [`LentVisitor`] of `F`.
pub(crate) unsafe extern "C" fn on_text<F>(context: *mut c_void, words: *const c_char) -> bool
where
    F: FnMut(&str) -> ControlFlow<()>,
{
    LentVisitor::<F>::visit(context, |closure| closure(&text(words)))
}

/// A visitor of texts that keeps them all.
pub(crate) fn keep_in(texts: &mut Vec<String>) -> impl FnMut(&str) -> ControlFlow<()> + '_ {
    move |words: &str| {
        texts.push(words.to_owned());
        ControlFlow::Continue(())
    }
}
