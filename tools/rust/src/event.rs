//! Events: what happens in a store and no call returns.

use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

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

/// # Safety
/// `context` is a boxed `Arc<EventClosure>`, `event` a struct of the library's.
pub(crate) unsafe extern "C" fn on_event(context: *mut c_void, event: *const sys::vicinal_event) {
    let closure = &*context.cast::<Arc<EventClosure>>();
    let event = &*event;
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
}

/// The library's last word: nothing is told to `context` any more.
///
/// # Safety
/// `context` is a boxed `Arc<EventClosure>`, and this is called once.
pub(crate) unsafe extern "C" fn release(context: *mut c_void) {
    let closure = Box::from_raw(context.cast::<Arc<EventClosure>>());
    // What the closure owns may panic as it goes.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(closure))) {
        std::mem::forget(payload);
    }
}
