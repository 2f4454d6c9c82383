//! Events: what happens in a store and no call returns.

use std::cell::Cell;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};

use crate::error::{text, Error, Status};
use crate::options::EventClosure;
use crate::sys;
use crate::types::{EventKind, Severity};

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// None: a kind of a later library.
    pub kind: Option<EventKind>,
    /// One of a later library is an error.
    pub severity: Severity,
    /// The index's name; "": the store's own.
    pub index: &'a str,
    /// For people; has the numbers.
    pub message: &'a str,
    /// Of what failed.
    pub error: Option<Error>,
    /// What it is depends on the kind.
    pub value: u64,
    /// What it is depends on the kind.
    pub limit: u64,
}

thread_local! {
    static DEPTH: Cell<usize> = Cell::new(0);
}

/// Whether this thread is inside an event closure.
pub(crate) fn inside_event() -> bool {
    DEPTH.with(|depth| depth.get() > 0)
}

/// What the library is given as context: it must stay as long as the store and its indexes do.
pub(crate) struct EventContext {
    pub closure: std::sync::Arc<EventClosure>,
}

/// # Safety
/// `context` is an [`EventContext`], `event` a struct of the library's.
pub(crate) unsafe extern "C" fn on_event(context: *mut c_void, event: *const sys::vicinal_event) {
    let closure = &(*context.cast::<EventContext>()).closure;
    let event = &*event;
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    // There is no caller to go on in; the panic hook has told it.
    let told = catch_unwind(AssertUnwindSafe(|| {
        let index = text(event.index);
        let message = text(event.message);
        let error = match event.status {
            sys::VICINAL_OK => None,
            code => Some(Error::new(Status::from_c(code), text(event.status_message))),
        };
        closure(&Event {
            kind: EventKind::from_c(event.kind),
            severity: Severity::from_c(event.severity).unwrap_or(Severity::Error),
            index: &index,
            message: &message,
            error,
            value: event.value,
            limit: event.limit,
        });
    }));
    if let Err(payload) = told {
        std::mem::forget(payload); // its destructor may panic too
    }
    DEPTH.with(|depth| depth.set(depth.get() - 1));
}
